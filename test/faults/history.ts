import { judgeReadings, type Breach } from '../../domain/breach.ts'
import type { Reading } from '../../domain/reading.ts'
import { shippedRules } from '../../domain/shipped-rules.ts'

/** Event time from one reading of a device to the next: ten minutes, however fast they are sent. */
export const CADENCE_MS = 600_000

export interface History {
  /** Of every device. */
  readonly firstTime: number
}

/**
 * What a device measured at a step. One in five has hours of warmth and of frost in turn, each with its own period, so that there are many
 * breaches of both rules, and many that are nearly some.
 */
export function celsius(device: number, step: number): number {
  const reach = device % 5 === 0 ? 6.5 : 2.5
  const slow = 5 + reach * Math.sin((2 * Math.PI * (step + device * 17)) / (150 + (device % 16) * 15))
  const fast = 0.8 * Math.sin(step * (1.3 + (device % 10) / 10))
  return Math.round((slow + fast) * 10) / 10
}

export function timeOf({ firstTime }: History, step: number): number {
  return firstTime + step * CADENCE_MS
}

/** The first `count` readings of a device. */
export function readingsOf(
  history: History,
  device: number,
  count: number,
): Pick<Reading, 'time' | 'values'>[] {
  return Array.from({ length: count }, (_, step) => ({
    time: timeOf(history, step),
    values: { temperature: celsius(device, step) },
  }))
}

/** The breaches of a device whose first `count` readings all arrived, by rule. */
export function breachesOf(
  history: History,
  device: number,
  count: number,
): { rule: string; breach: Breach }[] {
  const readings = readingsOf(history, device, count)
  return shippedRules('who-30dtr').flatMap((rule) =>
    judgeReadings(rule, readings).map((breach) => ({ rule: rule.id, breach })),
  )
}
