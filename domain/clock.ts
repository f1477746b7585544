/** How far behind (positive) or ahead (negative) of its arrival the newest reading of a device was. */
export type Lag = number

const SAMPLES_MIN = 8
const OBSERVED_MS_MIN = 3_600_000
/** A logger that sends what it has measured just now is within this; one that catches up is not steady. */
const SPREAD_MS_MAX = 5 * 60_000
/** Readings may wait a little before they are sent, and never come before they were made. */
const BEHIND_MS = 15 * 60_000
const AHEAD_MS = 2 * 60_000

/**
 * How far the clock of a device is off, when its readings come steadily too late or too early: a device that catches up after days without a network
 * comes nearer with every message, one with a wrong clock does not.
 * @param lags of its last messages
 * @param observedMs between the first and the last of them
 * @returns null when nothing is wrong, or too little is known
 */
export function clockOffset(lags: readonly Lag[], observedMs: number): number | null {
  if (lags.length < SAMPLES_MIN || observedMs < OBSERVED_MS_MIN) return null
  const least = Math.min(...lags)
  const most = Math.max(...lags)
  if (most - least > SPREAD_MS_MAX) return null
  if (least >= BEHIND_MS) return least
  return most <= -AHEAD_MS ? most : null
}
