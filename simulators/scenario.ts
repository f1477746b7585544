import type { ErrorCode } from '../domain/errors.ts'
import { MAIN_SENSOR, type Reading } from '../domain/reading.ts'
import { uniform } from './random.ts'
import { createRefrigerator, observe, type RefrigeratorOptions } from './refrigerator.ts'

/** A story of a few refrigerators, as data: the same messages and the same readings every time it is played. */
export interface Scenario {
  readonly name: string
  readonly description: string
  /** RFC 3339, fixed, and in the past of every server, so that no time is refused as lying in the future by chance. */
  readonly start: string
  readonly hours: number
  readonly devices: readonly ScenarioDevice[]
}

export interface ScenarioDevice {
  /** Unique in the scenario; also the device id of its readings here. */
  readonly name: string
  /** Default: one reading every 10 minutes, as remote monitors in the field send. */
  readonly cadenceMs?: number
  readonly refrigerator: Omit<RefrigeratorOptions, 'startAt'>
  readonly clock?: readonly ClockFault[]
  readonly delivery?: Delivery
}

/** What is wrong with the clock of a device. Times are true times, epoch milliseconds. */
export type ClockFault =
  /** Gains (or, below zero, loses) this much every hour since the start. */
  | { readonly kind: 'drift'; readonly secondsPerHour: number }
  /** Shows `shows` at `from` and runs on from there, until it is set right at `to`. */
  | { readonly kind: 'jump'; readonly from: number; readonly to: number; readonly shows: number }

/** How the readings reach the server. Without one, each is published when it is taken. */
export type Delivery =
  /** No network in between: kept, then published oldest first, `readingsMax` to a message, one message a second. */
  | { readonly kind: 'offline'; readonly from: number; readonly to: number; readonly readingsMax: number }
  /** Every message carries the last `overlap` readings too, and is published up to three times, the copies up to an hour late. */
  | { readonly kind: 'repeated'; readonly overlap: number }

export interface ScenarioMessage {
  readonly deviceIndex: number
  /** True time of sending, epoch milliseconds. */
  readonly publishAt: number
  readonly topic: string
  readonly payload: string
}

/** A scenario played out. */
export interface Script {
  /** In the order of sending. */
  readonly messages: readonly ScenarioMessage[]
  /** What an honest server accepts, each reading once, by device, then time. */
  readonly readings: readonly Reading[]
  /** What it refuses, by code: readings, each counted once per message that carries it. */
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>
}

export const TELEMETRY_TOPIC = 'v1/devices/me/telemetry'

/** The server's limits on times: nothing before 2020, nothing further ahead than the default of `CLOCK_AHEAD_MS_MAX`. */
const TIME_MIN = Date.UTC(2020, 0, 1)
const CLOCK_AHEAD_MS_MAX = 600_000

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const STREAM = { copies: 10, delay: 11 } as const

/** Turns hours since a start (RFC 3339) into epoch milliseconds. */
export function hoursFrom(start: string): (hours: number) => number {
  const startAt = Date.parse(start)
  return (hours) => startAt + hours * HOUR_MS
}

/**
 * Plays a scenario: every message and every reading, computed, nothing sent.
 * @param shiftMs moves all times of the story, and nothing else of it
 */
export function playScenario(scenario: Scenario, shiftMs = 0): Script {
  const messages = scenario.devices.flatMap((device, deviceIndex) =>
    deliver(device, takeReadings(scenario, device)).map(({ publishAt, readings }) => ({
      deviceIndex,
      publishAt: publishAt + shiftMs,
      readings: readings.map((reading) => ({ ...reading, time: reading.time + shiftMs })),
    })),
  )
  messages.sort((a, b) => a.publishAt - b.publishAt || a.deviceIndex - b.deviceIndex)
  const readings = new Map<string, Reading>()
  const refused: Partial<Record<ErrorCode, number>> = {}
  for (const message of messages) {
    for (const reading of message.readings) {
      const code = refusalOf(reading.time, message.publishAt)
      if (code) refused[code] = (refused[code] ?? 0) + 1
      else readings.set(`${message.deviceIndex} ${reading.time}`, reading)
    }
  }
  return {
    messages: messages.map(({ deviceIndex, publishAt, readings: carried }) => ({
      deviceIndex,
      publishAt,
      topic: TELEMETRY_TOPIC,
      payload: telemetryPayload(carried),
    })),
    readings: inOrder(scenario, [...readings.values()]),
    refused,
  }
}

/** The body of a telemetry message in the native protocol: one object, or an array when there are several. */
export function telemetryPayload(readings: readonly Pick<Reading, 'time' | 'values'>[]): string {
  const entries = readings.map(({ time, values }) => ({ ts: time, values }))
  return JSON.stringify(entries.length === 1 ? entries[0] : entries)
}

/** Why the server refuses a reading of this time when it receives it then; undefined when it takes it. */
function refusalOf(time: number, receivedAt: number): ErrorCode | undefined {
  if (time < TIME_MIN) return 'reading.timeTooOld'
  return time > receivedAt + CLOCK_AHEAD_MS_MAX ? 'reading.timeInFuture' : undefined
}

function inOrder(scenario: Scenario, readings: Reading[]): Reading[] {
  const rank = new Map(scenario.devices.map((device, index) => [device.name, index]))
  return readings.toSorted(
    (a, b) => (rank.get(a.deviceId) ?? 0) - (rank.get(b.deviceId) ?? 0) || a.time - b.time,
  )
}

interface Taken {
  /** True time of measuring. */
  readonly at: number
  readonly reading: Reading
}

function takeReadings(scenario: Scenario, device: ScenarioDevice): Taken[] {
  const startAt = Date.parse(scenario.start)
  const endAt = startAt + scenario.hours * HOUR_MS
  const cadenceMs = device.cadenceMs ?? 10 * MINUTE_MS
  const taken: Taken[] = []
  let refrigerator = createRefrigerator({ ...device.refrigerator, startAt })
  for (let at = startAt + cadenceMs; at <= endAt; at += cadenceMs) {
    const { values, next } = observe(refrigerator, at)
    refrigerator = next
    const time = deviceTime(device.clock ?? [], startAt, at)
    taken.push({ at, reading: { deviceId: device.name, sensor: MAIN_SENSOR, time, values } })
  }
  return taken
}

function deviceTime(faults: readonly ClockFault[], startAt: number, at: number): number {
  let time = at
  for (const fault of faults) {
    if (fault.kind === 'drift') time += Math.round(((at - startAt) / HOUR_MS) * fault.secondsPerHour * 1000)
    else if (at >= fault.from && at < fault.to) time = fault.shows + (at - fault.from)
  }
  return time
}

interface Carried {
  readonly publishAt: number
  readonly readings: readonly Reading[]
}

function deliver(device: ScenarioDevice, taken: readonly Taken[]): Carried[] {
  const { delivery } = device
  switch (delivery?.kind) {
    case undefined:
      return taken.map(({ at, reading }) => ({ publishAt: at, readings: [reading] }))
    case 'offline':
      return deliverBacklog(delivery, taken)
    case 'repeated':
      return deliverRepeated(delivery.overlap, device.refrigerator.seed, taken)
  }
}

function deliverBacklog(offline: Delivery & { kind: 'offline' }, taken: readonly Taken[]): Carried[] {
  const kept = taken.filter(({ at }) => at >= offline.from && at < offline.to)
  const live = taken.filter(({ at }) => at < offline.from || at >= offline.to)
  const backlog: Carried[] = []
  for (let first = 0; first < kept.length; first += offline.readingsMax) {
    const readings = kept.slice(first, first + offline.readingsMax).map(({ reading }) => reading)
    backlog.push({ publishAt: offline.to + backlog.length * 1000, readings })
  }
  return [...live.map(({ at, reading }) => ({ publishAt: at, readings: [reading] })), ...backlog]
}

function deliverRepeated(overlap: number, seed: number, taken: readonly Taken[]): Carried[] {
  return taken.flatMap(({ at }, index) => {
    const readings = taken.slice(Math.max(0, index - overlap), index + 1).map(({ reading }) => reading)
    const copies = 1 + Math.floor(3 * uniform(seed, STREAM.copies, index))
    return Array.from({ length: copies }, (_, copy) => {
      const delayMs = copy === 0 ? 0 : Math.round(HOUR_MS * uniform(seed, STREAM.delay, index * 4 + copy))
      return { publishAt: at + delayMs, readings }
    })
  })
}
