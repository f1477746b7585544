import type { Reading } from '../domain/reading.ts'
import type { Cause } from '../domain/watch-rule.ts'
import type { AreaDevice } from '../db/queries/outage.ts'
import { connectionKey, type Cache } from '../ports/cache.ts'

/** A battery with less than this, or with days left as few as this, may well be empty now. */
const BATTERY_PERCENT_LOW = 15
const BATTERY_DAYS_LOW = 1

/** Why a device says nothing, from what it said last and from what others say; null when nothing shows it. */
export async function causeOfSilence(
  cache: Cache,
  device: AreaDevice,
  latest: readonly Reading[],
  isUp: (deviceId: string) => boolean,
  neighbours: readonly AreaDevice[],
): Promise<Cause | null> {
  if (device.powerLostAt !== null) return 'power'
  if (isBehindDeadGateway(device, neighbours, isUp)) return 'gateway'
  if (latest.some(({ values }) => isLow(values))) return 'battery'
  return connectionCause(cache, device)
}

function isBehindDeadGateway(
  { gatewayId }: AreaDevice,
  neighbours: readonly AreaDevice[],
  isUp: (deviceId: string) => boolean,
): boolean {
  if (gatewayId === null) return false
  const same = neighbours.filter((one) => one.gatewayId === gatewayId || one.deviceId === gatewayId)
  return same.length > 1 && same.every((one) => !isUp(one.deviceId))
}

function isLow({ battery, batteryDays }: Reading['values']): boolean {
  return (battery ?? 100) <= BATTERY_PERCENT_LOW || (batteryDays ?? Infinity) <= BATTERY_DAYS_LOW
}

async function connectionCause(cache: Cache, { deviceId, gatewayId }: AreaDevice): Promise<Cause | null> {
  // A hint, and no more: a cache that does not answer must not hold up an alarm.
  const how = await cache.get(connectionKey(gatewayId ?? deviceId)).catch(() => undefined)
  if (how === 'lost') return 'connection-lost'
  return how === 'closed' ? 'disconnected' : null
}

/** Why a place is cut off: what most of its devices said last, or the one gateway that they share. */
export function causeOfOutage(members: readonly AreaDevice[]): Cause | null {
  const dark = members.filter(({ powerLostAt }) => powerLostAt !== null).length
  if (2 * dark >= members.length) return 'power'
  const gateways = new Set(members.map(({ gatewayId }) => gatewayId))
  return gateways.size === 1 && !gateways.has(null) ? 'gateway' : null
}
