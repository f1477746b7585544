/**
 * `v1/devices/me/...` is the same name for every device, so inside Aedes each device has a namespace of its own:
 * subscriptions, retained messages, queued commands and wills carry `device/<id>/` in front of what the wire says.
 */
const ROOT = 'device/'
/** A UUID. */
const ID_CHARS = 36

export const TELEMETRY = 'v1/devices/me/telemetry'
export const ATTRIBUTES = 'v1/devices/me/attributes'
const RPC_REQUEST = 'v1/devices/me/rpc/request/'

/** What becomes of a publish. `ingest`: handed over. `forward`: handed over, then to subscribers. `ignore`: acknowledged, no data in it. */
export type Route = 'ingest' | 'forward' | 'ignore' | 'deny'

// Requests and announcements of the ThingsBoard API that ask for what Coldstream does not serve. Closing the connection would
// make firmware connect and ask again for ever; a refusal per question would bury the refusals that matter.
const CHATTER = [
  RPC_REQUEST,
  'v1/devices/me/attributes/request/',
  'v1/devices/me/claim',
  'v1/gateway/connect',
  'v1/gateway/disconnect',
  'v1/gateway/rpc',
  'v1/gateway/attributes/request',
  'v1/gateway/claim',
  'v2/fw/request/',
  'v2/sw/request/',
]

// Data in a dialect of that API that no codec knows yet belongs into the refusals (P2), from where it can be replayed.
const DATA = ['v1/devices/me/', 'v1/gateway/', 'v2/t', 'v2/a']

/** Where a publish to this topic, as the wire has it, goes. Total: whatever is not known is denied, `$SYS` and other devices included. */
export function routeOf(topic: string): Route {
  if (topic === TELEMETRY) return 'ingest'
  if (topic === ATTRIBUTES) return 'forward'
  if (CHATTER.some((prefix) => topic.startsWith(prefix))) return 'ignore'
  return DATA.some((prefix) => topic.startsWith(prefix)) ? 'ingest' : 'deny'
}

/** A device hears only of its own commands and attributes. */
export function maySubscribe(filter: string): boolean {
  if (filter === ATTRIBUTES) return true
  return filter.startsWith(RPC_REQUEST) && /^(\+|\d{1,10})$/.test(filter.slice(RPC_REQUEST.length))
}

export function namespaceOf(deviceId: string): string {
  return `${ROOT}${deviceId}/`
}

export function commandTopic(deviceId: string, commandId: number): string {
  return `${namespaceOf(deviceId)}${RPC_REQUEST}${commandId}`
}

/** True for a topic of any device's namespace. */
export function isInternal(topic: string): boolean {
  return topic.startsWith(ROOT)
}

export function isCommand(topic: string): boolean {
  return topic.includes(RPC_REQUEST)
}

/** Splits a namespaced topic into the device and what the wire calls it. Throws when it is not one: only we make them. */
export function fromInternal(topic: string): { readonly deviceId: string; readonly topic: string } {
  const wireAt = ROOT.length + ID_CHARS + 1
  if (!isInternal(topic) || topic[wireAt - 1] !== '/') throw new Error('not a topic of a device namespace')
  return { deviceId: topic.slice(ROOT.length, wireAt - 1), topic: topic.slice(wireAt) }
}
