import { once as nextEvent } from 'node:events'
import type { PassThrough } from 'node:stream'
import { LRUCache } from 'lru-cache'
import { findBreach } from '../db/queries/breach.ts'
import { findDevicePaths } from '../db/queries/device.ts'
import { findFacility, findFacilityPaths } from '../db/queries/facility.ts'
import { findEndangered } from '../db/queries/time-to-breach.ts'
import { CodedError } from '../domain/errors.ts'
import type { Reading } from '../domain/reading.ts'
import type { Channels } from '../ports/cache.ts'
import { breachView } from './breach-view.ts'
import { createLookUp, pathOf, type Caller } from './caller.ts'
import type { RouteDeps } from './deps.ts'
import { readingView } from './device-view.ts'
import {
  bufferedBytes,
  createLiveClient,
  event,
  isFor,
  isStockFor,
  sayGoodbye,
  type LiveClient,
  type LiveFilter,
} from './live-client.ts'
import { timeToBreachEvent } from './time-to-breach.ts'

/** Devices whose place is remembered. */
const PATHS_MAX = 100_000
/** One question to the database names at most this many devices. */
const LOOKUP_MAX = 500
/** Messages that wait for their places to be looked up. Beyond it the streams end, and clients come back when it is calmer. */
const BACKLOG_MAX = 200
/** Breaches that changed and were not yet looked up; a power cut in a province opens thousands at once. */
const BREACHES_MAX = 10_000
/** Stock events that were not yet looked up. */
const STOCK_MAX = 10_000
/** Equipment whose time to breach was not yet looked up. */
const ENDANGERED_MAX = 10_000
const RETRY_MS = 3000

export interface Live {
  /** @throws CodedError `request.tooMany` at the limit of streams */
  open(caller: Caller, under: string, filter: LiveFilter): PassThrough
  close(): Promise<void>
}

interface LiveState {
  readonly deps: RouteDeps
  readonly lookUp: ReturnType<typeof createLookUp>
  readonly clients: Set<LiveClient>
  /** Where devices stand, by id. */
  readonly paths: LRUCache<string, Place>
  /** Undefined while there is nobody to listen for. */
  stopListening: (() => void) | undefined
  /** Kinds of change by breach, for those that wait to be looked up: the last one counts. */
  readonly changed: Map<string, string>
  /** Stock events that wait for their places to be looked up. */
  readonly stock: Channels['stock'][]
  /** Facilities by equipment whose time to breach is to be looked up. */
  readonly endangered: Map<string, string>
  backlog: number
  /** Resolves when what came so far is delivered. */
  tail: Promise<void>
  closed: boolean
}

interface Place {
  /** Null: it stands nowhere. */
  readonly path: string | null
}

/** Hands readings, breaches and stock events, as they come by, to whoever listens and may see them. It keeps nothing: what must not be missed is in the lists. */
export function createLive(deps: RouteDeps): Live {
  const state: LiveState = {
    deps,
    lookUp: createLookUp(deps.db),
    clients: new Set(),
    paths: new LRUCache({ max: PATHS_MAX }),
    stopListening: undefined,
    changed: new Map(),
    stock: [],
    endangered: new Map(),
    backlog: 0,
    tail: Promise.resolve(),
    closed: false,
  }
  return {
    open(caller, under, filter) {
      checkLimits(state, caller)
      return openStream(state, createLiveClient(caller, under, filter))
    },
    async close() {
      state.closed = true
      const gone = [...state.clients].map((client) => nextEvent(client.stream, 'close'))
      endAll(state, 'stopping')
      await Promise.all(gone)
    },
  }
}

function checkLimits({ clients, closed, deps: { settings } }: LiveState, caller: Caller): void {
  if (closed) throw new CodedError('service.unavailable', 'The server is stopping.')
  const own = [...clients].filter((client) => client.caller.id === caller.id).length
  if (clients.size >= settings.streamsMax || own >= settings.streamsPerUserMax)
    throw new CodedError('request.tooMany', 'Too many live streams are open.')
}

function openStream(state: LiveState, client: LiveClient): PassThrough {
  const { clients, deps } = state
  const ttlMs = client.caller.expiresAt - deps.clock.now()
  const expiry = setTimeout(() => end(state, client, 'auth.tokenExpired'), ttlMs)
  client.stream.once('close', () => {
    clearTimeout(expiry)
    remove(state, client)
  })
  clients.add(client)
  state.stopListening ??= listen(state)
  deps.metrics.set('coldstream_stream_clients', {}, clients.size)
  client.stream.write(`retry: ${RETRY_MS}\n\n`)
  return client.stream
}

function listen(state: LiveState): () => void {
  const { cache, settings } = state.deps
  const stops = [
    cache.subscribe(
      'registry',
      ({ deviceId }) => void state.paths.delete(deviceId),
      () => state.paths.clear(),
    ),
    cache.subscribe('readings', (readings) => enqueue(state, () => deliverReadings(state, readings))),
    cache.subscribe('breaches', (message) => noteBreach(state, message)),
    cache.subscribe('stock', (message) => noteStock(state, message)),
    cache.subscribe('timesToBreach', (message) => noteTimeToBreach(state, message)),
  ]
  const beat = setInterval(() => {
    for (const client of state.clients) void heartbeat(state, client)
  }, settings.streamHeartbeatMs)
  return () => {
    clearInterval(beat)
    for (const stop of stops) stop()
    // Whoever does not listen does not hear what changes.
    state.paths.clear()
    state.changed.clear()
    state.stock.length = 0
    state.endangered.clear()
  }
}

// One after the other, so that readings keep their order although some wait for the database.
function enqueue(state: LiveState, deliver: () => Promise<void>): void {
  if (state.backlog >= BACKLOG_MAX) return endAll(state, 'overloaded')
  state.backlog++
  state.tail = state.tail
    .then(deliver)
    .catch((error: unknown) => {
      state.deps.log.warn({ err: error }, 'live streams ended: could not tell what is for whom')
      endAll(state, 'overloaded')
    })
    .finally(() => state.backlog--)
}

async function deliverReadings(state: LiveState, readings: readonly Reading[]): Promise<void> {
  const places = await placesOf(state, readings)
  const texts = new Map<Reading, string>()
  for (const client of state.clients) {
    const theirs = readings.filter(({ deviceId }) => isFor(client, deviceId, places.get(deviceId) ?? null))
    if (theirs.length === 0) continue
    const json = theirs.map((reading) => textOf(texts, reading)).join(',')
    send(state, client, event('readings', `[${json}]`))
  }
}

// Written once, however many clients get it.
function textOf(texts: Map<Reading, string>, reading: Reading): string {
  const known = texts.get(reading)
  if (known !== undefined) return known
  const text = JSON.stringify({ deviceId: reading.deviceId, ...readingView(reading) })
  texts.set(reading, text)
  return text
}

async function placesOf(
  { deps, paths }: LiveState,
  readings: readonly Reading[],
): Promise<Map<string, string | null>> {
  const places = new Map<string, string | null>()
  const missing: string[] = []
  for (const deviceId of new Set(readings.map((reading) => reading.deviceId))) {
    const known = paths.get(deviceId)
    if (known) places.set(deviceId, known.path)
    else missing.push(deviceId)
  }
  for (let i = 0; i < missing.length; i += LOOKUP_MAX) {
    for (const { id, path } of await findDevicePaths(deps.db, missing.slice(i, i + LOOKUP_MAX))) {
      places.set(id, path)
      paths.set(id, { path })
    }
  }
  return places
}

function noteBreach(state: LiveState, { breachId, kind }: Channels['breaches']): void {
  // Every reading of a refrigerator that stays warm extends its breach, and the readings are on the stream themselves.
  if (kind === 'extended') return
  state.changed.set(breachId, kind)
  if (state.changed.size > BREACHES_MAX) return endAll(state, 'overloaded')
  if (state.changed.size === 1) enqueue(state, () => deliverBreaches(state))
}

async function deliverBreaches(state: LiveState): Promise<void> {
  const changed = [...state.changed]
  state.changed.clear()
  for (const [breachId, kind] of changed) {
    if (state.clients.size === 0) return
    await deliverBreach(state, breachId, kind)
  }
}

async function deliverBreach(state: LiveState, breachId: string, kind: string): Promise<void> {
  const { db } = state.deps
  const breach = await findBreach(db, breachId)
  if (!breach) return
  const facility = breach.facilityId === null ? undefined : await findFacility(db, breach.facilityId, '')
  const text = event('breaches', JSON.stringify({ kind, breach: breachView(breach) }))
  for (const client of state.clients) {
    if (isFor(client, breach.deviceId ?? '', facility?.path ?? null)) send(state, client, text)
  }
}

function noteStock(state: LiveState, message: Channels['stock']): void {
  state.stock.push(message)
  if (state.stock.length > STOCK_MAX) return endAll(state, 'overloaded')
  if (state.stock.length === 1) enqueue(state, () => deliverStock(state))
}

async function deliverStock(state: LiveState): Promise<void> {
  while (state.stock.length > 0 && state.clients.size > 0) {
    const events = state.stock.splice(0, LOOKUP_MAX)
    const ids = new Set(events.flatMap(({ facilityIds }) => facilityIds))
    const paths = await findFacilityPaths(state.deps.db, [...ids])
    for (const { eventId, kind, facilityIds } of events) {
      const theirs = facilityIds.map((id) => paths.get(id)).filter((path) => path !== undefined)
      const text = event('stock', JSON.stringify({ kind, eventId }))
      for (const client of state.clients) if (isStockFor(client, theirs)) send(state, client, text)
    }
  }
  state.stock.length = 0
}

function noteTimeToBreach(state: LiveState, { equipmentId, facilityId }: Channels['timesToBreach']): void {
  state.endangered.set(equipmentId, facilityId)
  if (state.endangered.size > ENDANGERED_MAX) return endAll(state, 'overloaded')
  if (state.endangered.size === 1) enqueue(state, () => deliverTimesToBreach(state))
}

async function deliverTimesToBreach(state: LiveState): Promise<void> {
  const endangered = [...state.endangered]
  state.endangered.clear()
  const { db, clock } = state.deps
  const paths = await findFacilityPaths(db, [...new Set(endangered.map(([, facilityId]) => facilityId))])
  for (const [equipmentId, facilityId] of endangered) {
    const row = await findEndangered(db, equipmentId)
    const data = timeToBreachEvent(row, equipmentId, clock.now())
    const text = event('time-to-breach', JSON.stringify(data))
    const path = paths.get(facilityId) ?? null
    for (const client of state.clients)
      if (isFor(client, row?.deviceId ?? '', path)) send(state, client, text)
  }
}

function send(state: LiveState, client: LiveClient, text: string): void {
  const { log, metrics, settings } = state.deps
  if (bufferedBytes(client) <= settings.streamBufferBytesMax) return void client.stream.write(text)
  metrics.count('coldstream_stream_dropped_total', {})
  log.info({ userId: client.caller.id }, 'live stream cut off: the client does not read')
  remove(state, client)
  client.stream.destroy()
}

// Disabled, demoted, moved: what changed since the stream was opened counts from the next beat on.
async function heartbeat(state: LiveState, client: LiveClient): Promise<void> {
  const { db } = state.deps
  const { id, session, expiresAt } = client.caller
  try {
    const { requestId } = client.caller
    const caller = { ...(await state.lookUp({ userId: id, session, expiresAt })), requestId }
    const under = (await pathOf(db, caller, client.filter.facilityId)) ?? ''
    Object.assign(client, { caller, under })
    if (state.clients.has(client)) send(state, client, ': still here\n\n')
  } catch (error) {
    end(state, client, error instanceof CodedError ? error.code : 'overloaded')
  }
}

function end(state: LiveState, client: LiveClient, reason: string): void {
  remove(state, client)
  sayGoodbye(client, reason)
}

function endAll(state: LiveState, reason: string): void {
  for (const client of state.clients) end(state, client, reason)
}

function remove(state: LiveState, client: LiveClient): void {
  const { clients, deps } = state
  if (!clients.delete(client)) return
  deps.metrics.set('coldstream_stream_clients', {}, clients.size)
  if (clients.size > 0) return
  state.stopListening?.()
  state.stopListening = undefined
}
