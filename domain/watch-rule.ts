import type { Comparator, Severity, WatchQuantity } from './rule.ts'

/** A rule that is not about the values of one sensor. `quantity` is a name of its own, since the table of rules wants one. */
export interface WatchRule {
  readonly id: WatchQuantity
  readonly profile: string
  readonly name: string
  readonly quantity: WatchQuantity
  readonly comparator: Comparator
  readonly threshold: number
  readonly mode: 'instant'
  readonly durationMs: number
  readonly gapMsMax: number
  readonly severity: Severity
}

/** The sensor of what is found of a device as a whole. */
export const ALL_SENSORS = '*'

/** No storage profile: these rules hold for every device that stands somewhere. */
export const WATCH_PROFILE = 'watch'

function rule(id: WatchQuantity, name: string, severity: Severity): WatchRule {
  const limits = { comparator: 'gt', threshold: 0, mode: 'instant', durationMs: 0, gapMsMax: 0 } as const
  return { id, profile: WATCH_PROFILE, name, quantity: id, ...limits, severity }
}

/** The rules of the watchdog. Their breaches are listed, acknowledged and told like all others. */
export const WATCH_RULES: readonly WatchRule[] = [
  rule('silence', 'Silent for longer than expected', 'warning'),
  rule('site-outage', 'Many devices of one place silent or without power', 'critical'),
  rule('clock-wrong', 'The clock of the device is wrong', 'warning'),
  rule('calibration-overdue', 'Calibration overdue', 'warning'),
  rule('sensor-unplugged', 'Sensor unplugged or broken', 'warning'),
]

/** Why a device says nothing, or a place is cut off, as far as the data shows. */
export const CAUSES = ['power', 'gateway', 'battery', 'connection-lost', 'disconnected'] as const
export type Cause = (typeof CAUSES)[number]

/** The rule of the watchdog with this id, if it is one. */
export function watchRuleOf(id: string): WatchRule | undefined {
  return WATCH_RULES.find((one) => one.id === id)
}
