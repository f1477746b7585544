import { dayAt } from './holding.ts'
import { isHigh, type Rule, type Window } from './rule.ts'

/** Violating readings: how many, the last one, and the first of those furthest beyond the threshold. */
export interface Tally {
  peak: number
  peakAt: number
  lastAt: number
  readings: number
}

/** Of one reading. */
export function tallyOf(time: number, value: number): Tally {
  return { peak: value, peakAt: time, lastAt: time, readings: 1 }
}

/** Takes later violating readings in. */
export function merge(
  tally: Tally,
  rule: Rule,
  peak: number,
  peakAt: number,
  lastAt: number,
  readings: number,
): void {
  tally.lastAt = lastAt
  tally.readings += readings
  // Nothing moves further than not at all: a stuck value stays the one that it is stuck at.
  if (rule.measure === 'stuck' || !(isHigh(rule) ? peak > tally.peak : peak < tally.peak)) return
  tally.peak = peak
  tally.peakAt = peakAt
}

/** Stretches of violating readings that begin within the same thousandth of the window: between their first and their last, `ms` of violation. */
interface Group extends Tally {
  readonly from: number
  ms: number
}

/** What a cumulative rule remembers: the violating time that its window may still hold. */
export interface Cumulation {
  /** In order; those before `head` are forgotten. */
  groups: Group[]
  head: number
  /** Of all groups that are not forgotten, whole. */
  totalMs: number
  /** Whether the newest reading violates, so that a next one could go on from it. */
  isGoing: boolean
  /** The calendar day of the newest reading, of a rule that adds up by day. */
  day: { readonly from: number; readonly until: number } | undefined
  /** Violating readings since the last breach ended; undefined while there are none. */
  since: Tally | undefined
}

/** Groups per window, which bounds the memory of a stream: some 1,000 numbers six times at worst, and nothing for a stream in range. */
const GROUPS_MAX = 1000
/** The longest local day, and more: 25 hours where the clocks go back. */
const DAY_MS_MAX = 26 * 3_600_000
const FORGOTTEN_MAX = 64

export function createCumulation(): Cumulation {
  return { groups: [], head: 0, totalMs: 0, isGoing: false, day: undefined, since: undefined }
}

// Without a window, which is no rule that anybody can make: the time that must be violated, without interruption.
function windowOf({ window, durationMs }: Rule): Window {
  return window ?? { kind: 'sliding', ms: durationMs }
}

function windowMsMax(rule: Rule): number {
  const window = windowOf(rule)
  return window.kind === 'day' ? DAY_MS_MAX : window.ms
}

function cellMs(rule: Rule): number {
  return Math.max(1, Math.ceil(windowMsMax(rule) / GROUPS_MAX))
}

/**
 * How long a reading can matter to a cumulative rule that is not in breach: for the window, and for the stretch that reaches into it, which is
 * shorter than the duration or it would be a breach, and may have begun with it.
 */
export function memoryMs(rule: Rule): number {
  return windowMsMax(rule) + rule.durationMs + cellMs(rule) + rule.gapMsMax
}

/** One more violating reading; the time since the one before counts when that was violating too, and not longer ago than `gapMsMax`. */
export function cumulate(
  cumulation: Cumulation,
  rule: Rule,
  time: number,
  value: number,
  sinceMs: number,
): void {
  const { groups } = cumulation
  const last = groups.at(-1)
  const isConnected = cumulation.isGoing && sinceMs <= rule.gapMsMax
  cumulation.isGoing = true
  if (last === undefined || !(isConnected || isSameCell(rule, last.from, time))) {
    groups.push({ from: time, ms: 0, ...tallyOf(time, value) })
    return
  }
  merge(last, rule, value, time, time, 1)
  if (!isConnected) return
  last.ms += sinceMs
  cumulation.totalMs += sinceMs
}

function isSameCell(rule: Rule, a: number, b: number): boolean {
  const ms = cellMs(rule)
  return Math.floor(a / ms) === Math.floor(b / ms)
}

/** Forgets what the window up to `time` holds no more of. @returns where that window begins */
export function expire(cumulation: Cumulation, rule: Rule, time: number): number {
  const start = windowStart(cumulation, rule, time)
  const { groups } = cumulation
  // The one that is going on stays, also when the window begins at this very moment: the next reading may add to it.
  const last = cumulation.isGoing ? groups.length - 1 : groups.length
  for (let group = groups[cumulation.head]; group && group.lastAt <= start; group = groups[cumulation.head]) {
    if (cumulation.head === last) break
    cumulation.totalMs -= group.ms
    cumulation.head += 1
  }
  if (cumulation.head === groups.length) {
    groups.length = 0
    cumulation.head = 0
  } else if (cumulation.head >= FORGOTTEN_MAX && cumulation.head * 2 >= groups.length) {
    groups.splice(0, cumulation.head)
    cumulation.head = 0
  }
  return start
}

function windowStart(cumulation: Cumulation, rule: Rule, time: number): number {
  const window = windowOf(rule)
  if (window.kind === 'sliding') return time - window.ms
  if (cumulation.day === undefined || time >= cumulation.day.until)
    cumulation.day = dayAt(window.timeZone, time)
  return cumulation.day.from
}

/** How much violating time lies in the window that begins at `start`; what ended before it is forgotten already. */
export function cumulatedMs({ groups, head, totalMs }: Cumulation, start: number): number {
  const first = groups[head]
  return first === undefined ? 0 : totalMs - first.ms + msWithin(first, start)
}

function msWithin({ from, lastAt, ms }: Group, start: number): number {
  return from >= start ? ms : Math.min(ms, lastAt - start)
}

/** All violating readings since the first stretch that lies in the window with some of its time. */
export function cumulatedSince(
  { groups, head }: Cumulation,
  rule: Rule,
  start: number,
): Tally & { readonly startAt: number } {
  let index = head
  while (index < groups.length - 1 && msWithin(groups[index] as Group, start) === 0) index += 1
  const { from, peak, peakAt, lastAt, readings } = groups[index] as Group
  const sum = { startAt: from, peak, peakAt, lastAt, readings }
  for (index += 1; index < groups.length; index += 1) {
    const group = groups[index] as Group
    merge(sum, rule, group.peak, group.peakAt, group.lastAt, group.readings)
  }
  return sum
}
