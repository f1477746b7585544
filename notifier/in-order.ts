import { fold, type Run } from '../domain/breach.ts'
import type { Reading } from '../domain/reading.ts'
import type { Stream } from './judging-state.ts'
import type { Subject } from './record-breaches.ts'

/** The breaches that in-order readings have opened, extended or ended and that are to be written down, each once. */
export type Runs = Map<Run, Subject & { readonly stream: Stream }>

/** Filled and emptied again for each reading and rule, so that a reading within the limits costs no memory. */
const changed: Run[] = []

/**
 * Judges a reading that is later than every one before it. One that cannot change what was judged (the newest again with the same value or a lesser
 * one, or no quantity that a rule looks at) is passed over.
 * @returns false when it is late, so that it has to be judged over a window
 */
export function judgeInOrder(runs: Runs, stream: Stream, { time, values }: Reading): boolean {
  const { states, live, placement } = stream
  if (time < stream.overAt) return false
  for (let at = 0; at < live.length; at += 1) {
    const index = live[at] ?? 0
    const rule = placement.rules[index]
    const value = rule && values[rule.quantity]
    if (rule === undefined || value === undefined) continue
    const state = states[index]
    if (state === undefined) return false
    if (time > state.time) {
      fold(state, rule, time, value, changed)
      if (changed.length > 0) note(runs, stream, index)
    } else if (time < state.time || value > state.value) return false
  }
  return true
}

function note(runs: Runs, stream: Stream, index: number): void {
  const { placement } = stream
  const rule = placement.rules[index]
  if (rule) for (const run of changed) runs.set(run, { sensor: stream, stream, placement, rule })
  changed.length = 0
}
