import { useId } from 'react'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { useMessages } from '../../messages.ts'
import type { NewRule } from '../../operations.ts'
import { useSentence } from './describe.tsx'
import { inMode } from './draft.ts'
import { ruleMessages } from './messages.ts'
import styles from './rules.module.css'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const COMPARATORS = ['gt', 'gte', 'lt', 'lte'] as const
const MODES = ['instant', 'consecutive', 'cumulative'] as const
const SEVERITIES = ['warning', 'critical'] as const
const MEASURES = ['value', 'ratePerHour', 'stuck', 'jump'] as const
const QUANTITIES = [
  'temperature',
  'freezerTemperature',
  'ambientTemperature',
  'humidity',
  'doorOpen',
  'doorOpenSeconds',
  'powerOn',
  'powerGoodSeconds',
  'battery',
  'batteryVoltage',
  'batteryDays',
  'holdover',
] as const satisfies readonly NewRule['quantity'][]
/** Of these the form has no text field that could say what is wrong. */
const CHOSEN = ['quantity', 'measure', 'comparator', 'mode', 'window', 'severity'] as const

export interface RuleFieldsProps {
  readonly index: number
  readonly rule: NewRule
  /** What the API refused, by path. */
  readonly refused: Readonly<Record<string, string>>
  readonly onChange: (rule: NewRule) => void
  readonly onRemove: (() => void) | undefined
}

/** One rule as a short form; what few rules need is folded away. */
export function RuleFields({ index, rule, refused, onChange, onRemove }: RuleFieldsProps) {
  const t = useMessages(ruleMessages)
  const sentence = useSentence()
  const id = useId()
  const set = (change: Partial<NewRule>) => onChange({ ...rule, ...change })
  const path = `rules/${index}`
  const wrong = CHOSEN.flatMap((field) => refused[`${path}/${field}`] ?? [])
  return (
    <fieldset className={styles['fields']} aria-describedby={id}>
      <legend>{t.rule(index + 1)}</legend>
      <p id={id} className={page['soft']}>
        {sentence(rule)}
      </p>
      {wrong.length > 0 && (
        <p role="alert" className={styles['wrong']}>
          {wrong.join(' ')}
        </p>
      )}
      <TextField
        label={t.name}
        error={refused[`${path}/name`]}
        value={rule.name}
        maxLength={200}
        isRequired
        onChange={(name) => set({ name })}
      />
      <div className={styles['pair']}>
        <Choice
          label={t.when}
          options={COMPARATORS.map((value) => ({ value, label: t.comparators[value] }))}
          value={rule.comparator}
          onChange={(comparator) => set({ comparator })}
        />
        <NumberField
          label={t.threshold}
          error={refused[`${path}/threshold`]}
          minValue={-1e6}
          step={0.1}
          formatOptions={{ maximumFractionDigits: 2 }}
          value={rule.threshold}
          isRequired
          onChange={(threshold) => set({ threshold: Number.isNaN(threshold) ? 0 : threshold })}
        />
      </div>
      <Lasting {...{ path, rule, set, refused, onChange }} />
      <Choice
        label={t.severity}
        options={SEVERITIES.map((value) => ({ value, label: t.severities[value] }))}
        value={rule.severity}
        onChange={(severity) => set({ severity })}
      />
      <More {...{ path, rule, set, refused }} />
      {onRemove && (
        <div className={styles['buttons']}>
          <Button kind="quiet" onPress={onRemove}>
            {t.remove}
          </Button>
        </div>
      )}
    </fieldset>
  )
}

interface PartProps {
  readonly path: string
  readonly rule: NewRule
  readonly refused: Readonly<Record<string, string>>
  readonly set: (change: Partial<NewRule>) => void
}

function Lasting({ path, rule, set, refused, onChange }: PartProps & Pick<RuleFieldsProps, 'onChange'>) {
  const t = useMessages(ruleMessages)
  const { mode, durationMs = 0, window } = rule
  return (
    <>
      <div className={styles['pair']}>
        <Choice
          label={t.mode}
          options={MODES.map((value) => ({ value, label: t.modes[value] }))}
          value={mode}
          onChange={(value) => onChange(inMode(rule, value))}
        />
        {mode !== 'instant' && (
          <NumberField
            label={t.minutes}
            error={refused[`${path}/durationMs`]}
            value={durationMs / MINUTE_MS}
            isRequired
            onChange={(minutes) => set({ durationMs: Math.round((minutes || 0) * MINUTE_MS) })}
          />
        )}
      </div>
      {mode === 'cumulative' && (
        <div className={styles['pair']}>
          <Choice
            label={t.window}
            options={(['day', 'sliding'] as const).map((value) => ({ value, label: t.windows[value] }))}
            value={window?.kind ?? 'day'}
            onChange={(kind) => set({ window: kind === 'day' ? { kind } : { kind, ms: 24 * HOUR_MS } })}
          />
          {window?.kind === 'sliding' && (
            <NumberField
              label={t.hours}
              error={refused[`${path}/window/ms`]}
              value={window.ms / HOUR_MS}
              isRequired
              onChange={(hours) =>
                set({ window: { kind: 'sliding', ms: Math.round((hours || 0) * HOUR_MS) } })
              }
            />
          )}
        </div>
      )}
    </>
  )
}

function More({ path, rule, set, refused }: PartProps) {
  const t = useMessages(ruleMessages)
  const { quantity, measure = 'value', hysteresis = 0, gapMsMax = 2 * HOUR_MS, activeHours } = rule
  const hasRefusal = ['hysteresis', 'gapMsMax', 'activeHours'].some((field) => refused[`${path}/${field}`])
  const hours = refused[`${path}/activeHours`]
  return (
    <details {...(hasRefusal && { open: true })}>
      <summary>{t.more}</summary>
      <div className={styles['form']}>
        <Choice
          label={t.quantity}
          options={QUANTITIES.map((value) => ({ value, label: t.quantities[value] }))}
          value={QUANTITIES.find((one) => one === quantity) ?? 'temperature'}
          onChange={(value) => set({ quantity: value })}
        />
        <Choice
          label={t.measure}
          options={MEASURES.map((value) => ({ value, label: t.measures[value] }))}
          value={measure}
          onChange={(value) => set({ measure: value })}
        />
        <NumberField
          label={t.hysteresis}
          error={refused[`${path}/hysteresis`]}
          step={0.1}
          formatOptions={{ maximumFractionDigits: 2 }}
          value={hysteresis}
          onChange={(value) => set({ hysteresis: value || 0 })}
        />
        <NumberField
          label={t.gap}
          error={refused[`${path}/gapMsMax`]}
          value={gapMsMax / MINUTE_MS}
          onChange={(minutes) => set({ gapMsMax: Math.round((minutes || 0) * MINUTE_MS) })}
        />
        <div className={styles['pair']}>
          <TextField
            label={t.hoursFrom}
            type="time"
            value={activeHours?.from ?? ''}
            onChange={(from) => set({ activeHours: hoursOf(from, activeHours?.to) })}
          />
          <TextField
            label={t.hoursTo}
            type="time"
            value={activeHours?.to ?? ''}
            onChange={(to) => set({ activeHours: hoursOf(activeHours?.from, to) })}
          />
        </div>
        {hours !== undefined && (
          <p role="alert" className={styles['wrong']}>
            {hours}
          </p>
        )}
      </div>
    </details>
  )
}

/** Both or none: a rule that begins to hold at an hour ends at one. */
function hoursOf(from = '', to = ''): NewRule['activeHours'] {
  return from === '' && to === '' ? null : { from: from || '00:00', to: to || '00:00' }
}
