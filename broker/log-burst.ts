import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'

const QUIET_MS = 10_000

/** Logs the first of a burst at once, then at most one more each 10 s, which says how many were left out. */
export function logBurst(log: Logger, clock: Clock, message: string): (fields: object) => void {
  let silentUntil = 0
  let leftOut = 0
  return (fields) => {
    const now = clock.now()
    if (now < silentUntil) {
      leftOut++
      return
    }
    log.warn({ ...fields, leftOut }, message)
    silentUntil = now + QUIET_MS
    leftOut = 0
  }
}
