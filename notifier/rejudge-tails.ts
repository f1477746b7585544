import type { Series } from '../ports/series.ts'
import type { Work } from './rejudge-work.ts'
import type { Tail } from './window.ts'

const READINGS_MAX = 20_000
/** How far before the readings in question the last one before them is looked for, in turn: they may come every second, or every ten minutes. */
const LOOK_BACKS_MS = [5_000, 90_000, 720_000]
const AGE_MS_MAX = 900_000

/**
 * Reads ahead for many sensors at once what judging them will ask for, where that is little: what came within the last minutes. Asking for one sensor
 * after the other costs a few requests for each, which is too slow for the thousands that wait when a notifier was lost.
 * @returns those that were read; what is missing there is to be asked for
 */
export async function readTails(
  series: Series,
  works: readonly Work[],
  now: number,
): Promise<Map<Work, Tail>> {
  const tails = new Map<Work, Tail>()
  let rest = works.filter((work) => work.from > now - AGE_MS_MAX)
  for (const lookBackMs of LOOK_BACKS_MS) {
    if (rest.length === 0) break
    const from = Math.min(...rest.map((work) => work.from)) - lookBackMs
    const sensors = rest.map((work) => work.stream)
    const found = await series.readTails(sensors, from, READINGS_MAX)
    if (found === undefined) break
    rest.forEach((work, index) => tails.set(work, { from, readings: found[index] ?? [] }))
    rest = rest.filter((work, index) => !(found[index] ?? []).some(({ time }) => time < work.from))
  }
  return tails
}
