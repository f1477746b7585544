import type { RuleState } from '../domain/breach.ts'
import type { Reading, SensorKey } from '../domain/reading.ts'
import type { Placement } from '../db/queries/placement.ts'

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
  /** No reading later than this has come yet; missing until the first window showed how far the store is. */
  horizon: number | undefined
  /** What waits in the queue `rejudge`, oldest first; nothing when `current`. */
  readonly shares: Map<string, Share>
}

/** The part of a batch in the queue `rejudge` that is of one stream. */
export interface Share {
  /** The store must have finished everything that was accepted up to then before these readings can be judged. */
  readonly acceptedBy: number
  /** Left out when there are too many to remember, or when the batch comes from before a restart. */
  readings: Reading[] | undefined
}

interface Device {
  readonly streams: Map<string, Stream>
  wasUsed: boolean
}

const UNPLACED: Placement = { equipmentId: null, facilityId: null, rules: [] }

export interface Streams {
  /** The streams of a device by sensor. */
  find(deviceId: string): ReadonlyMap<string, Stream> | undefined
  /** A new stream, pending, of a sensor that has none. */
  create(deviceId: string, sensor: string): Stream
  forgetDevice(deviceId: string): void
  forgetAll(): void
  forget(stream: Stream): void
  count(): number
}

/**
 * Keeps at most `streamsMax` streams. When they are too many, devices are forgotten that sent nothing since the last time (second chance: to keep
 * the order of use would cost something for every reading); a device that has that many sensors alone is forgotten itself.
 */
export function createStreams(streamsMax: number): Streams {
  const devices = new Map<string, Device>()
  let count = 0

  function forgetDevice(deviceId: string): void {
    const device = devices.get(deviceId)
    if (!device) return
    for (const stream of device.streams.values()) stream.phase = 'gone'
    count -= device.streams.size
    device.streams.clear()
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
    const made = createStream(deviceId, sensor)
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
    forgetDevice,
    forgetAll() {
      for (const deviceId of devices.keys()) forgetDevice(deviceId)
    },
    forget(gone) {
      if (gone.phase === 'gone') return
      gone.phase = 'gone'
      count -= 1
      const device = devices.get(gone.deviceId)
      device?.streams.delete(gone.sensor)
      if (device?.streams.size === 0) devices.delete(gone.deviceId)
    },
    count: () => count,
  }
}

function createStream(deviceId: string, sensor: string): Stream {
  const shares = new Map<string, Share>()
  return { deviceId, sensor, phase: 'pending', placement: UNPLACED, states: [], horizon: undefined, shares }
}

/** A stream that was current gets readings that are not in order: from now on, until they are judged, everything waits. */
export function suspend(stream: Stream): void {
  if (stream.phase !== 'current') return
  stream.phase = 'pending'
  for (const state of stream.states) {
    if (state) stream.horizon = Math.max(stream.horizon ?? -Infinity, state.time)
  }
}
