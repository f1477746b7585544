/** The time, from outside, so that tests can move it. Rules never ask for it: they judge in event time. */
export interface Clock {
  /** Epoch milliseconds, UTC. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
