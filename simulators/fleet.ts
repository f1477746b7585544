import { setTimeout as sleep } from 'node:timers/promises'
import type { Values } from '../domain/reading.ts'
import { SimulatedDevice } from './device.ts'
import { uniform } from './random.ts'
import { createRefrigerator, observe, type Refrigerator, type RefrigeratorOptions } from './refrigerator.ts'
import { telemetryPayload } from './scenario.ts'

export interface FleetMember {
  readonly name: string
  readonly token: string
  readonly refrigerator: Omit<RefrigeratorOptions, 'startAt'>
}

export interface FleetOptions {
  /** Address of the broker. */
  readonly url: string
  readonly members: readonly FleetMember[]
  /** Where simulated time begins, epoch milliseconds; not after now. */
  readonly startAt: number
  /** Simulated seconds per real second, until simulated time has reached now; from then on time is real. */
  readonly speed: number
  /** Simulated time between two readings of a device. */
  readonly cadenceMs: number
  /** The same, once simulated time has reached now. */
  readonly liveCadenceMs?: number
  /** Stop after so much simulated time; without it, only the signal stops the fleet. */
  readonly simulatedMs?: number
  readonly connectsPerSecond?: number
  /** How long a stop waits for acknowledgements. */
  readonly stopTimeoutMs?: number
  readonly signal?: AbortSignal
  readonly onReading?: (index: number, time: number, values: Values) => void
  /** Called about once a second, and once at the end. */
  readonly onProgress?: (progress: FleetProgress) => void
}

export interface FleetProgress {
  readonly simulatedTime: number
  /** Whether simulated time has reached now. */
  readonly live: boolean
  readonly connected: number
  /** Devices whose token the server refuses. */
  readonly refused: number
  readonly sent: number
  readonly acknowledged: number
  /** Messages that wait for an acknowledgement. */
  readonly pending: number
}

const TICK_MS = 50
const PROGRESS_EVERY_MS = 1000
/** Bounds one tick, so that a high speed can not keep the event loop from the sockets. */
const READINGS_PER_TICK_MAX = 2000

interface Running {
  readonly member: FleetMember
  readonly device: SimulatedDevice
  refrigerator: Refrigerator
  nextAt: number
}

/**
 * Runs refrigerators over MQTT, one connection each, until the signal, the end of the simulated time, or until every token was refused.
 * A device whose buffer is full falls behind in simulated time and catches up: no reading is left out.
 * @throws DeviceError when no device can connect
 */
export async function runFleet(options: FleetOptions): Promise<FleetProgress> {
  const fleet: Running[] = []
  const signal = options.signal ?? new AbortController().signal
  try {
    await connectAll(fleet, options, signal)
    const { time, live } = await play(fleet, options, signal)
    const waitMs = options.stopTimeoutMs ?? 3000
    await Promise.allSettled(fleet.map(({ device }) => device.drain(waitMs)))
    const progress = progressOf(fleet, time, live)
    options.onProgress?.(progress)
    return progress
  } finally {
    await Promise.allSettled(fleet.map(({ device }) => device.close()))
  }
}

async function connectAll(fleet: Running[], options: FleetOptions, signal: AbortSignal): Promise<void> {
  const perSecond = options.connectsPerSecond ?? 200
  for (const [index, member] of options.members.entries()) {
    if (signal.aborted) return
    fleet.push(start(member, options))
    // The first one alone: a server that is not there, or refuses it, is one error and not a thousand.
    if (index === 0) await fleet[0]?.device.connect()
    else await pause(1000 / perSecond, signal)
  }
}

function start(member: FleetMember, options: FleetOptions): Running {
  const stepMs = Math.min(60_000, options.cadenceMs, options.liveCadenceMs ?? Infinity)
  const refrigerator = createRefrigerator({ stepMs, ...member.refrigerator, startAt: options.startAt })
  // Each at its own moment of the interval: clinics do not measure in step.
  const offsetMs = Math.floor(options.cadenceMs * uniform(member.refrigerator.seed, 20, 0))
  const device = new SimulatedDevice({ url: options.url, token: member.token })
  return { member, device, refrigerator, nextAt: options.startAt + offsetMs }
}

interface Moment {
  readonly time: number
  readonly live: boolean
}

async function play(fleet: Running[], options: FleetOptions, signal: AbortSignal): Promise<Moment> {
  const clock = simulatedClock(options)
  const endAt = options.startAt + (options.simulatedMs ?? Infinity)
  let progressAt = 0
  for (;;) {
    const { time, live } = clock()
    const until = Math.min(time, endAt)
    const behind = takeDue(fleet, until, options)
    if (signal.aborted || (time >= endAt && !behind)) return { time: until, live }
    if (Date.now() >= progressAt) {
      options.onProgress?.(progressOf(fleet, until, live))
      progressAt = Date.now() + PROGRESS_EVERY_MS
    }
    const fatal = fleet[0]?.device.fatal
    if (fatal && fleet.every(({ device }) => device.fatal)) throw fatal
    await pause(TICK_MS, signal)
  }
}

/** Simulated time: fast until it meets the real one, and that one from then on. */
function simulatedClock({ startAt, speed }: FleetOptions): () => Moment {
  const realStart = Date.now()
  return () => {
    const now = Date.now()
    const time = startAt + (now - realStart) * speed
    return time >= now ? { time: now, live: true } : { time, live: false }
  }
}

/** Sends the readings due by `time`, round by round so that no device starves another; true when some are left for the next tick. */
function takeDue(fleet: Running[], time: number, options: FleetOptions): boolean {
  let taken = 0
  let before = -1
  while (taken > before && taken < READINGS_PER_TICK_MAX) {
    before = taken
    for (const [index, running] of fleet.entries()) {
      if (running.nextAt <= time && takeOne(running, index, options)) taken++
    }
  }
  return fleet.some(({ nextAt, device }) => nextAt <= time && !device.fatal)
}

function takeOne(running: Running, index: number, options: FleetOptions): boolean {
  const at = running.nextAt
  const { values, next } = observe(running.refrigerator, at)
  // Observing changes nothing until `next` is kept, so a full buffer only means: later.
  if (!running.device.send(telemetryPayload([{ time: at, values }]))) return false
  running.refrigerator = next
  const liveCadenceMs = options.liveCadenceMs ?? options.cadenceMs
  // Also of the last one that was not live yet, or the next would be as far off as in the past.
  running.nextAt = at + (at > Date.now() - options.cadenceMs ? liveCadenceMs : options.cadenceMs)
  options.onReading?.(index, at, values)
  return true
}

function progressOf(fleet: readonly Running[], simulatedTime: number, live: boolean): FleetProgress {
  const total = { connected: 0, refused: 0, sent: 0, acknowledged: 0, pending: 0 }
  for (const { device } of fleet) {
    total.connected += device.connected ? 1 : 0
    total.refused += device.fatal ? 1 : 0
    total.sent += device.stats.sent
    total.acknowledged += device.stats.acknowledged
    total.pending += device.pending
  }
  return { simulatedTime, live, ...total }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
