import { randomUUIDv7 } from 'node:crypto'
import type { Reading } from '../domain/reading.ts'
import { listBreachSensors } from '../db/queries/breach.ts'
import type { Clock } from '../ports/clock.ts'
import type { Delivery, Queue } from '../ports/queue.ts'
import type { Judging } from './judging.ts'

const DEVICES_PER_BATCH = 100

/**
 * Asks for everything of these devices from an event time on to be judged again, by the rules that hold then: for whoever changed these, after that is
 * committed. It resolves when the request is durable; whatever happens meanwhile, it is judged after what was accepted before.
 */
export async function requestRejudge(
  { queue, clock }: { readonly queue: Queue; readonly clock: Clock },
  deviceIds: readonly string[],
  from: number,
): Promise<void> {
  for (let at = 0; at < deviceIds.length; at += DEVICES_PER_BATCH) {
    const devices = deviceIds.slice(at, at + DEVICES_PER_BATCH)
    const readings = devices.map((deviceId): Reading => ({ deviceId, sensor: '', time: from, values: {} }))
    const id = randomUUIDv7()
    await queue.publish({ id, acceptedAt: clock.now(), readings, refusals: [], attributes: [] }, ['rejudge'])
  }
}

/** A reading that says nothing asks for all from its time on; without a sensor, of every sensor of the device. */
export function isRequest({ values }: Reading): boolean {
  for (const _ in values) return false
  return true
}

export function hasRequests(deliveries: readonly Delivery[]): boolean {
  return deliveries.some(({ batch }) => batch.readings.some(isRequest))
}

/**
 * Puts a request for each sensor in place of one for a device, and forgets what is remembered of it: other rules may hold. To be called when everything
 * accepted before is stored, and what was judged in order is written.
 */
export async function spellOut(judging: Judging, deliveries: readonly Delivery[]): Promise<Delivery[]> {
  const spelled: Delivery[] = []
  for (const delivery of deliveries) {
    const readings: Reading[] = []
    for (const reading of delivery.batch.readings) {
      if (isRequest(reading)) readings.push(...(await ofEachSensor(judging, reading)))
      else readings.push(reading)
    }
    spelled.push({ ...delivery, batch: { ...delivery.batch, readings } })
  }
  return spelled
}

async function ofEachSensor(
  { series, db, placements, streams }: Judging,
  request: Reading,
): Promise<Reading[]> {
  const { deviceId } = request
  const stored = (await series.latest(deviceId)).map(({ sensor }) => sensor)
  const sensors = new Set([...stored, ...(await listBreachSensors(db, deviceId))])
  placements.forget(deviceId)
  streams.forgetDevice(deviceId)
  return [...sensors].map((sensor) => ({ ...request, sensor }))
}
