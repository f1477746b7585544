import { useQuery } from '@tanstack/react-query'
import { query } from '../../api.ts'
import { useFormat, type Format } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach, NewRule, Rule } from '../../operations.ts'
import { usePreferences } from '../../preferences.ts'
import page from '../../controls/page.module.css'
import { Chip } from '../../controls/chip.tsx'
import { ruleMessages } from './messages.ts'
import styles from './rules.module.css'

/** What a rule says, whether it is in use or only thought of. */
type SaidRule = Pick<
  NewRule,
  'measure' | 'comparator' | 'threshold' | 'mode' | 'durationMs' | 'activeHours'
> & {
  readonly quantity: string
  readonly window?: { readonly kind: 'sliding' | 'day'; readonly ms?: number | null } | null
}

type Words = ReturnType<typeof useMessages<(typeof ruleMessages)['en']>>

/** A rule as a sentence, made of what it says and not of its name. */
export function useSentence(): (rule: SaidRule) => string {
  const t = useMessages(ruleMessages)
  const format = useFormat()
  return (rule) => [limitOf(rule, t, format), lengthOf(rule, t, format), hoursOf(rule, t)].join('')
}

/** What a breach is called: rules have names in one language, so in the others it is told by what its rule says. */
export function useRuleName(
  equipmentId: string | null,
): (breach: Pick<Breach, 'ruleId' | 'ruleName'>) => string {
  const { language } = usePreferences()
  const sentence = useSentence()
  const rules = useQuery({
    ...query('listEquipmentRules', { params: { id: equipmentId ?? '' } }),
    enabled: equipmentId !== null && language !== 'en',
  }).data?.items
  return ({ ruleId, ruleName }) => {
    const rule = language === 'en' ? undefined : rules?.find(({ id }) => id === ruleId)
    return rule ? sentence(rule) : (ruleName ?? ruleId)
  }
}

function limitOf({ quantity, measure = 'value', comparator, threshold }: SaidRule, t: Words, format: Format) {
  const name = quantityName(quantity, t)
  const value = format.value(threshold, quantity)
  return measure === 'value'
    ? `${name} ${t.comparators[comparator]} ${value}`
    : `${name}, ${t.measures[measure]}: ${t.comparators[comparator]} ${value}`
}

function lengthOf({ mode, durationMs = 0, window }: SaidRule, t: Words, format: Format): string {
  const long = format.span(durationMs / 1000)
  if (mode === 'instant') return `, ${t.atOnce}`
  if (mode === 'consecutive') return `, ${t.withoutPause(long)}`
  return `, ${t.inAll(long, window?.kind === 'sliding' ? format.span(Number(window.ms) / 1000) : t.aDay)}`
}

function hoursOf({ activeHours }: SaidRule, t: Words): string {
  return activeHours ? `, ${t.between(activeHours.from, activeHours.to)}` : ''
}

function quantityName(quantity: string, t: Words): string {
  return quantity in t.quantities ? t.quantities[quantity as keyof typeof t.quantities] : quantity
}

/** The rules of a version, or those that hold for something. */
export function RuleList({ rules }: { readonly rules: readonly (Rule | NewRule)[] }) {
  const t = useMessages(ruleMessages)
  const sentence = useSentence()
  return (
    <ul className={styles['plain']}>
      {rules.map((rule, index) => (
        <li key={'id' in rule ? rule.id : index} className={styles['rule']}>
          <div>
            <strong>{rule.name}</strong>
            <p className={page['soft']}>{sentence(rule)}</p>
          </div>
          <Chip
            state={rule.severity === 'critical' ? 'warm' : 'silent'}
            icon={rule.severity === 'critical' ? 'alarm' : 'clock'}
          >
            {t.severities[rule.severity]}
          </Chip>
        </li>
      ))}
    </ul>
  )
}
