import { useState } from 'react'
import { call } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Check } from '../../../controls/check.tsx'
import { NumberField } from '../../../controls/number-field.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { EscalationPolicy } from '../../../operations.ts'
import { usePreferences } from '../../../preferences.ts'
import styles from '../administration.module.css'
import { SaveForm } from '../save-form.tsx'
import { daysIn } from './days.ts'
import { alarmMessages } from './messages.ts'
import { ReceiversPicker, type Receivers } from './receivers.tsx'

const LEVELS_MAX = 6
const MINUTES_MAX = 43_200
const REMINDERS_MAX = 100

interface Level {
  /** Of this form alone. */
  readonly key: number
  readonly delayMinutes: number
  readonly keepsWorkingHours: boolean
  readonly who: readonly Receivers[]
}

interface Props {
  readonly policy: EscalationPolicy
  readonly facilityId: string
  readonly onClose: () => void
}

/** Changes the policy of a place, or makes one there that begins as the one that holds there now. */
export function PolicyForm({ policy, facilityId, onClose }: Props) {
  const t = useMessages(alarmMessages)
  const isOwn = policy.facilityId === facilityId
  const severity = t.severities[policy.severity]
  const [levels, setLevels] = useState<readonly Level[]>(() =>
    policy.levels.map(({ keepsWorkingHours = false, ...level }, key) => ({
      ...level,
      keepsWorkingHours,
      key,
    })),
  )
  const [hours, setHours] = useState(policy.workingHours)
  const [reminderMinutes, setReminderMinutes] = useState(policy.reminderMinutes ?? Number.NaN)
  const [remindersMax, setRemindersMax] = useState(policy.remindersMax ?? Number.NaN)
  const [testMode, setTestMode] = useState(policy.testMode)
  const empty = levels.findIndex(({ who }) => who.length === 0)
  return (
    <SaveForm
      title={`${isOwn ? t.change : t.make}: ${severity}`}
      submit={t.save}
      outdates={['getFacilityEscalation', 'listEscalationPolicies']}
      onClose={onClose}
      check={() => (empty === -1 ? undefined : t.nobodyAt(empty + 1))}
      save={(field) => {
        const body = {
          name: field('name') ?? '',
          levels: levels.map(stepOf),
          workingHours: hours,
          reminderMinutes: numberOrNull(reminderMinutes),
          remindersMax: numberOrNull(remindersMax),
          testMode,
        }
        return isOwn && policy.id !== null
          ? call('updateEscalationPolicy', { params: { id: policy.id }, body })
          : call('createEscalationPolicy', { body: { ...body, facilityId, severity: policy.severity } })
      }}
      onSaved={({ name }) => {
        toast(t.saved(name))
        onClose()
      }}
    >
      <TextField
        label={t.name}
        name="name"
        defaultValue={isOwn ? policy.name : severity}
        maxLength={200}
        isRequired
      />
      <Levels levels={levels} onChange={setLevels} />
      {levels.some(({ keepsWorkingHours }) => keepsWorkingHours) && (
        <Hours hours={hours} onChange={setHours} />
      )}
      <NumberField
        label={t.reminderMinutes}
        hint={t.reminderHelp}
        maxValue={MINUTES_MAX}
        value={reminderMinutes}
        onChange={setReminderMinutes}
      />
      <NumberField
        label={t.remindersMax}
        maxValue={REMINDERS_MAX}
        value={remindersMax}
        onChange={setRemindersMax}
      />
      <Check label={t.testPolicy} isSelected={testMode} onChange={setTestMode} />
    </SaveForm>
  )
}

const stepOf = ({ delayMinutes, keepsWorkingHours, who }: Level) => ({ delayMinutes, keepsWorkingHours, who })

/** A number field that is empty holds NaN. */
function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

interface LevelsProps {
  readonly levels: readonly Level[]
  readonly onChange: (levels: readonly Level[]) => void
}

function Levels({ levels, onChange }: LevelsProps) {
  const t = useMessages(alarmMessages)
  const change = (key: number, set: Partial<Level>) =>
    onChange(levels.map((level) => (level.key === key ? { ...level, ...set } : level)))
  const next = Math.max(-1, ...levels.map(({ key }) => key)) + 1
  return (
    <>
      {levels.map((level, index) => (
        <LevelFields
          key={level.key}
          level={level}
          number={index + 1}
          onChange={(set) => change(level.key, set)}
          {...(levels.length > 1 && {
            onRemove: () => onChange(levels.filter(({ key }) => key !== level.key)),
          })}
        />
      ))}
      {levels.length < LEVELS_MAX && (
        <div>
          <Button
            kind="normal"
            onPress={() =>
              onChange([...levels, { key: next, delayMinutes: 60, keepsWorkingHours: false, who: [] }])
            }
          >
            {t.addLevel}
          </Button>
        </div>
      )}
    </>
  )
}

interface LevelProps {
  readonly level: Level
  readonly number: number
  readonly onChange: (set: Partial<Level>) => void
  readonly onRemove?: () => void
}

function LevelFields({ level, number, onChange, onRemove }: LevelProps) {
  const t = useMessages(alarmMessages)
  const format = useFormat()
  const { delayMinutes, keepsWorkingHours, who } = level
  return (
    <fieldset className={styles['group']}>
      <legend>{t.level(number)}</legend>
      <NumberField
        label={number === 1 ? t.delayFirst : t.delay}
        hint={delayMinutes === 0 ? t.atOnce : format.span(delayMinutes * 60)}
        maxValue={MINUTES_MAX}
        value={delayMinutes}
        onChange={(value) => onChange({ delayMinutes: numberOrNull(value) ?? 0 })}
      />
      <ReceiversPicker label={t.who} value={who} onChange={(value) => onChange({ who: value })} />
      <Check
        label={t.keepsHours}
        isSelected={keepsWorkingHours}
        onChange={(value) => onChange({ keepsWorkingHours: value })}
      />
      {onRemove && (
        <div>
          <Button kind="quiet" onPress={onRemove}>
            {t.removeLevel(number)}
          </Button>
        </div>
      )}
    </fieldset>
  )
}

type WorkingHours = EscalationPolicy['workingHours']

interface HoursProps {
  readonly hours: WorkingHours
  readonly onChange: (hours: WorkingHours) => void
}

function Hours({ hours, onChange }: HoursProps) {
  const t = useMessages(alarmMessages)
  const { language } = usePreferences()
  const toggle = (day: number, isOn: boolean) => {
    const days = [1, 2, 3, 4, 5, 6, 7].filter((one) => (one === day ? isOn : hours.days.includes(one)))
    // There are no working hours without a day.
    if (days.length > 0) onChange({ ...hours, days })
  }
  return (
    <fieldset className={styles['group']}>
      <legend>{t.hours}</legend>
      <div className={styles['days']} role="group" aria-label={t.days}>
        {daysIn(language).map(({ day, name }) => (
          <Check
            key={day}
            label={name}
            isSelected={hours.days.includes(day)}
            onChange={(isOn) => toggle(day, isOn)}
          />
        ))}
      </div>
      <div className={styles['pair']}>
        <TextField
          label={t.from}
          type="time"
          value={hours.from}
          onChange={(from) => onChange({ ...hours, from })}
          isRequired
        />
        <TextField
          label={t.to}
          type="time"
          value={hours.to}
          onChange={(to) => onChange({ ...hours, to })}
          isRequired
        />
      </div>
    </fieldset>
  )
}
