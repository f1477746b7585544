import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { openEmbeddedQueue } from '../../adapters/queue/embedded.ts'
import { openSqliteSeries } from '../../adapters/series/sqlite.ts'
import { ensureAdministrator, startApi, type ApiSettings, type Command } from '../../api/index.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import type { Db } from '../../db/schema.ts'
import type { Role } from '../../domain/role.ts'
import { startIngest, type Ingest } from '../../ingest/index.ts'
import { buildHttp } from '../../main/http.ts'
import { createMetrics, type PromMetrics } from '../../main/metrics.ts'
import type { Cache } from '../../ports/cache.ts'
import { systemClock, type Clock } from '../../ports/clock.ts'
import type { Part } from '../../ports/part.ts'
import type { Queue } from '../../ports/queue.ts'
import type { Series } from '../../ports/series.ts'
import { conformance } from './conform.ts'

export const ADMIN_PASSWORD = 'correct horse battery'
export const PASSWORD = 'staple for everybody'

/** What a test reads of an answer. */
export interface Answer {
  readonly status: number
  // Answers are looked at key by key; `match` and `same` say what they should be.
  readonly body: Json
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Json {
  readonly [key: string]: Json
}

interface Ask {
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface World {
  readonly app: FastifyInstance
  readonly api: Part
  readonly ingest: Ingest
  readonly db: Db
  readonly cache: Cache
  readonly series: Series
  readonly queue: Queue
  readonly metrics: PromMetrics
  /** What was sent down to devices. */
  readonly commands: { readonly deviceId: string; readonly command: Command }[]
  /** Token of `admin`. */
  readonly admin: string
  ask(method: 'GET' | 'POST' | 'PATCH', url: string, ask?: Ask): Promise<Answer>
  get(url: string, token?: string): Promise<Answer>
  post(url: string, token: string | undefined, body: unknown, key?: string): Promise<Answer>
  patch(url: string, token: string | undefined, body: unknown): Promise<Answer>
  /** Posts as `admin` and returns the id of what was made. */
  make(url: string, body: unknown): Promise<string>
  login(username: string, password?: string): Promise<string>
  /** Makes a user of this role in a facility and logs in. */
  person(username: string, role: Role, facilityId: string): Promise<string>
}

interface Options {
  /** Of a fresh database; in memory unless given. */
  readonly databaseUrl?: string
  readonly settings?: Partial<ApiSettings>
  readonly clock?: Clock
}

/** The api on real embedded stores, with the real intake behind it, closed at the end of the test. */
export async function openWorld(
  t: Test,
  { databaseUrl = 'sqlite::memory:', settings = {}, clock = systemClock }: Options = {},
): Promise<World> {
  const folder = t.testdir()
  const log = pino({ level: 'silent' })
  const metrics = createMetrics()
  const db = await openDb(databaseUrl)
  await migrate(db)
  await ensureAdministrator(db, { password: ADMIN_PASSWORD })
  const cache = openMemoryCache({ entriesMax: 10_000 })
  const series = await openSqliteSeries({ file: join(folder, 'series.sqlite') })
  const queue = await openEmbeddedQueue({ file: join(folder, 'queue.sqlite'), metrics })
  const stores = { db, cache, series, queue, metrics, log, clock }
  const ingest = await startIngest(stores)
  const commands: World['commands'] = []
  const api = await startApi({
    ...stores,
    logs: db,
    intake: ingest.intake,
    sendCommand: async (deviceId, command) => void commands.push({ deviceId, command }),
    settings: { jwtSecret: 'a secret of at least thirty-two characters', ...settings },
  })
  const app = await buildHttp({ log, metrics, parts: [api] })
  await app.ready()
  t.teardown(async () => {
    await app.close()
    await api.stop()
    await ingest.stop()
    await queue.close()
    await series.close()
    await cache.close()
    await db.destroy()
  })
  const talk = talkTo(app)
  const admin = await talk.login('admin', ADMIN_PASSWORD)
  return {
    app,
    api,
    ingest,
    db,
    cache,
    series,
    queue,
    metrics,
    commands,
    admin,
    ...talk,
    async make(url, body) {
      const { status, body: made } = await talk.post(url, admin, body)
      if (status !== 201) throw new Error(`${url}: ${status} ${JSON.stringify(made)}`)
      return String(made['id'])
    },
    async person(username, role, facilityId) {
      const user = { username, name: username, password: PASSWORD, role, facilityId }
      const { status, body } = await talk.post('/v1/users', admin, user)
      if (status !== 201) throw new Error(`${username}: ${status} ${JSON.stringify(body)}`)
      return talk.login(username)
    },
  }
}

function talkTo(app: FastifyInstance) {
  const conforms = conformance(app)
  async function ask(method: 'GET' | 'POST' | 'PATCH', url: string, { token, body, headers = {} }: Ask = {}) {
    const response = await app.inject({
      method,
      url,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const isJson = String(response.headers['content-type']).includes('json')
    const parsed = (isJson ? response.json() : {}) as Json
    const contentType = String(response.headers['content-type'] ?? '')
    conforms(method, url, { status: response.statusCode, contentType, body: isJson ? parsed : undefined })
    return { status: response.statusCode, headers: response.headers, body: parsed }
  }
  const post = (url: string, token: string | undefined, body: unknown, key?: string) =>
    ask('POST', url, { token, body, headers: key === undefined ? {} : { 'idempotency-key': key } })
  return {
    ask,
    post,
    get: (url: string, token?: string) => ask('GET', url, { token }),
    patch: (url: string, token: string | undefined, body: unknown) => ask('PATCH', url, { token, body }),
    async login(username: string, password = PASSWORD) {
      const { status, body } = await post('/v1/auth/login', undefined, { username, password })
      if (status !== 200) throw new Error(`login of ${username}: ${status}`)
      return String(body['accessToken'])
    },
  }
}

/** One facility with a refrigerator and a logger, below a district of its own. */
export interface Site {
  readonly district: string
  readonly facility: string
  readonly storagePoint: string
  readonly equipment: string
  readonly device: string
  readonly deviceToken: string
}

export interface Tree {
  readonly country: string
  readonly a: Site
  readonly b: Site
}

/** A country with two districts that must not see each other. */
export async function plantTree(world: World): Promise<Tree> {
  const timeZone = 'Asia/Jakarta'
  const country = await world.make('/v1/facilities', { name: 'Country', level: 'country', timeZone })
  return { country, a: await plantSite(world, country, 'A'), b: await plantSite(world, country, 'B') }
}

export async function plantSite(world: World, parentId: string, name: string): Promise<Site> {
  const timeZone = 'Asia/Jakarta'
  const { make } = world
  const district = await make('/v1/facilities', {
    name: `District ${name}`,
    level: 'district',
    parentId,
    timeZone,
  })
  const facility = await make('/v1/facilities', {
    name: `Clinic ${name}`,
    level: 'facility',
    timeZone,
    parentId: district,
  })
  const storagePoint = await make('/v1/storage-points', { facilityId: facility, name: 'Vaccine room' })
  const equipment = await make('/v1/equipment', {
    name: `Fridge ${name}`,
    kind: 'refrigerator',
    profile: 'who-30dtr',
    facilityId: facility,
    storagePointId: storagePoint,
  })
  const { body } = await world.post('/v1/devices', world.admin, {
    name: `Logger ${name}`,
    equipmentId: equipment,
  })
  const device = String(body['id'])
  return { district, facility, storagePoint, equipment, device, deviceToken: String(body['accessToken']) }
}
