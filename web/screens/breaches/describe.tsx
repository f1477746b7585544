import { watchRuleOf } from '../../../domain/watch-rule.ts'
import { Chip, type State } from '../../controls/chip.tsx'
import type { Format } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach } from '../../operations.ts'
import { breachMessages } from './messages.ts'

type Kind = keyof typeof breachMessages.en.kinds

/** Rules of the watchdog that find nothing silent. */
const CARE: ReadonlySet<string> = new Set(['clock-wrong', 'calibration-overdue'])

/** What sort of breach it is, for a person. */
export function kindOf({ ruleId, comparator, quantity }: Breach): Kind {
  if (watchRuleOf(ruleId)) return CARE.has(ruleId) ? 'care' : 'silent'
  if (quantity !== 'temperature' || comparator === null) return 'other'
  return comparator.startsWith('g') ? 'warm' : 'cold'
}

const STATES: Readonly<Record<Kind, State>> = {
  warm: 'warm',
  cold: 'cold',
  silent: 'silent',
  care: 'unknown',
  other: 'unknown',
}

export function KindChip({ breach }: { readonly breach: Breach }) {
  const t = useMessages(breachMessages)
  const kind = kindOf(breach)
  return <Chip state={STATES[kind]}>{t.kinds[kind]}</Chip>
}

export function StateChip({ breach }: { readonly breach: Breach }) {
  const t = useMessages(breachMessages)
  const { state, acknowledgedAt } = breach
  if (state === 'open' && acknowledgedAt === null)
    return (
      <Chip state="warm" icon="alarm">
        {t.needsYou}
      </Chip>
    )
  if (state === 'open')
    return (
      <Chip state="silent" icon="clock">
        {t.acknowledgedOpen}
      </Chip>
    )
  return (
    <Chip state={state === 'ended' ? 'in-range' : 'unknown'} icon="check">
      {t.states[state]}
    </Chip>
  )
}

/** What is warm, or silent: the refrigerator, else the device, else the whole place. */
export function nameOf({ equipmentName, deviceName, facilityName, ruleId }: Breach): string {
  return equipmentName ?? deviceName ?? facilityName ?? ruleId
}

/** The worst that was measured; nothing of what is silent. */
export function worstOf(breach: Breach, format: Format): string | undefined {
  return watchRuleOf(breach.ruleId) || breach.quantity === null
    ? undefined
    : format.value(breach.peak, breach.quantity)
}

/** How long it has lasted: an open one until now. */
export function secondsOf({ state, startAt, durationSeconds }: Breach, nowMs: number): number {
  return state === 'open' ? (nowMs - Date.parse(startAt)) / 1000 : durationSeconds
}
