import type { RuleState } from '../domain/breach.ts'
import type { Reading, SensorKey } from '../domain/reading.ts'
import { UNPLACED, type Placement } from '../db/queries/placement.ts'
import { createLateKeeper, type Late, type LateBatch } from './late.ts'

/** What the judge remembers of one sensor. All of it can be rebuilt from the series store. */
export interface Stream extends SensorKey {
  /**
   * `pending`: some of its readings wait to be judged over a window, so all that come must. `current`: `states` are the fold of every
   * reading that came; the next later one can be judged as it comes. `gone`: forgotten; whoever still holds it must not use it.
   */
  phase: 'pending' | 'current' | 'gone'
  placement: Placement
  /** By index of `placement.rules`; missing until a reading with the quantity of the rule came. */
  states: (RuleState | undefined)[]
  /** Indexes of the rules that readings in order can still matter to: those whose validity is over are left out, however many versions there were. */
  live: readonly number[]
  /** When the last of those left out was over: what is earlier is late. */
  overAt: number
  /** No reading later than this has come yet; missing until the first window showed how far the store is. */
  horizon: number | undefined
  /** What waits in the queue `rejudge`, oldest first; nothing when `current`. */
  readonly late: Late[]
  /** Batches of this process up to this number may hold readings of the sensor that are not in `late`: the stream is younger than they. */
  readonly bornAfter: number
  /** Of batches of this process up to this number, the readings of the sensor have been judged, or are being judged now. */
  judgedTo: number
}

interface Device {
  readonly streams: Map<string, Stream>
  wasUsed: boolean
}

export interface Streams {
  /** The streams of a device by sensor. */
  find(deviceId: string): ReadonlyMap<string, Stream> | undefined
  /** A new stream, pending, of a sensor that has none. */
  create(deviceId: string, sensor: string): Stream
  /** Notes that a reading, which is in this batch, is to be judged over a window; until then everything of the stream waits. */
  defer(stream: Stream, batch: LateBatch, reading: Reading): void
  /** Takes what waits, from the oldest on, as long as `isWanted`. */
  take(stream: Stream, isWanted: (late: Late) => boolean): Late[]
  forgetDevice(deviceId: string): void
  /** All of the devices that this holds for. */
  forgetDevices(isMeant: (deviceId: string) => boolean): void
  forget(stream: Stream): void
}

/**
 * Keeps at most `streamsMax` streams. When they are too many, devices are forgotten that sent nothing since the last time (second chance: to keep
 * the order of use would cost something for every reading); a device that has that many sensors alone is forgotten itself.
 * @param lateReadingsMax readings of all streams that wait and are remembered
 */
export function createStreams(streamsMax: number, lateReadingsMax: number): Streams {
  const devices = new Map<string, Device>()
  const keeper = createLateKeeper(lateReadingsMax)
  let count = 0
  /** The newest batch that may have readings of a stream that was forgotten. */
  let forgottenTo = 0

  function drop(stream: Stream): void {
    stream.phase = 'gone'
    count -= 1
    take(stream, () => true)
    forgottenTo = Math.max(forgottenTo, stream.judgedTo)
  }

  function take(stream: Stream, isWanted: (late: Late) => boolean): Late[] {
    const taken = keeper.take(stream.late, isWanted)
    stream.judgedTo = Math.max(stream.judgedTo, taken.at(-1)?.last ?? 0)
    return taken
  }

  function defer(stream: Stream, batch: LateBatch, reading: Reading): void {
    suspend(stream)
    keeper.add(stream.late, batch, reading)
  }

  function forgetDevice(deviceId: string): void {
    const { streams } = devices.get(deviceId) ?? {}
    for (const stream of streams?.values() ?? []) drop(stream)
    streams?.clear()
    devices.delete(deviceId)
  }

  function makeRoom(): void {
    // A Map goes on to what is added while it is walked, so each device comes up twice at most: the second time its chance is gone.
    for (const [deviceId, device] of devices) {
      if (count < streamsMax) return
      if (!device.wasUsed) {
        forgetDevice(deviceId)
        continue
      }
      device.wasUsed = false
      devices.delete(deviceId)
      devices.set(deviceId, device)
    }
  }

  function create(deviceId: string, sensor: string): Stream {
    if (count >= streamsMax) makeRoom()
    const device = devices.get(deviceId) ?? { streams: new Map<string, Stream>(), wasUsed: true }
    devices.set(deviceId, device)
    device.wasUsed = true
    const made = createStream(deviceId, sensor, forgottenTo)
    device.streams.set(sensor, made)
    count += 1
    return made
  }

  return {
    find: (deviceId) => {
      const device = devices.get(deviceId)
      if (device) device.wasUsed = true
      return device?.streams
    },
    create,
    defer,
    take,
    forgetDevice,
    forgetDevices(isMeant) {
      for (const deviceId of devices.keys()) if (isMeant(deviceId)) forgetDevice(deviceId)
    },
    forget(gone) {
      if (gone.phase === 'gone') return
      drop(gone)
      const device = devices.get(gone.deviceId)
      device?.streams.delete(gone.sensor)
      if (device?.streams.size === 0) devices.delete(gone.deviceId)
    },
  }
}

function createStream(deviceId: string, sensor: string, bornAfter: number): Stream {
  return {
    deviceId,
    sensor,
    phase: 'pending',
    placement: UNPLACED,
    states: [],
    live: [],
    overAt: -Infinity,
    horizon: undefined,
    late: [],
    bornAfter,
    judgedTo: bornAfter,
  }
}

/** A stream that was current gets readings that are not in order: from now on, until they are judged, everything waits. */
export function suspend(stream: Stream): void {
  if (stream.phase !== 'current') return
  stream.phase = 'pending'
  for (const state of stream.states) {
    if (state) stream.horizon = Math.max(stream.horizon ?? -Infinity, state.time)
  }
}

/** Takes what a window showed over. */
export function resume(
  stream: Stream,
  placement: Placement,
  horizon: number,
  states: readonly (RuleState | undefined)[],
): void {
  if (stream.placement !== placement) stream.states = placement.rules.map(() => undefined)
  stream.placement = placement
  stream.horizon = horizon
  states.forEach((state, index) => {
    if (state) stream.states[index] = state
  })
  stream.overAt = -Infinity
  stream.live = [...placement.rules.keys()].filter((index) => {
    const validTo = placement.rules[index]?.validTo ?? Infinity
    const run = stream.states[index]?.run
    if (validTo > horizon || run?.endAt === null) return true
    stream.overAt = Math.max(stream.overAt, validTo)
    return false
  })
}
