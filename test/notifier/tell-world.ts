import { randomUUIDv7 } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import { NOT_CLOSED } from '../../db/queries/breach.ts'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import type { BreachChangeKind, BreachTable, Db, UserAccountTable } from '../../db/schema.ts'
import { createMetrics } from '../../main/metrics.ts'
import { startTell, TELL_DEFAULTS, type Tell, type TellSettings } from '../../notifier/tell.ts'
import type { NoticeChannel } from '../../ports/notice.ts'
import { waitFor } from '../wait-for.ts'

/** 2026-03-14T00:00Z. */
export const NOW = Date.UTC(2026, 2, 14)
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

export const SECRET = `whsec_${Buffer.from('a key of thirty-two bytes, right').toString('base64')}`

interface Teardown {
  teardown(fn: () => unknown): unknown
  testdir(): string
}

/** A district with one health centre, one refrigerator, one device; a database; a clock that the test moves. */
export async function createWorld(t: Teardown, url = `sqlite:${join(t.testdir(), 'db.sqlite')}`) {
  const db = await openDb(url)
  await migrate(db)
  await insertRegistry(db)
  const cache = openMemoryCache({ entriesMax: 1_000 })
  const clock = { at: NOW, now: () => clock.at }
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const metrics = createMetrics()
  const running = new Set<Tell>()

  async function start(
    channels: readonly NoticeChannel[],
    settings: Partial<TellSettings> = {},
    /** A connection of its own, as another process has it. */
    ownDb = db,
  ) {
    const quick = { ...TELL_DEFAULTS, pollMs: 10, stopTimeoutMs: 1_000, ...settings }
    const tell = await startTell({ db: ownDb, cache, clock, log, metrics, channels, settings: quick })
    running.add(tell)
    return tell
  }

  t.teardown(async () => {
    for (const tell of running) await tell.stop()
    await cache.close()
    await db.destroy()
  })
  const notifications = () => db.selectFrom('notification').selectAll().orderBy('createdAt').execute()
  return { db, cache, clock, lines, log, metrics, start, notifications }
}

export type World = Awaited<ReturnType<typeof createWorld>>

async function insertRegistry(db: Db): Promise<void> {
  const createdAt = NOW
  const facility = {
    timeZone: 'Asia/Jakarta',
    code: null,
    gln: null,
    population: null,
    version: 1,
    createdAt,
    updatedAt: createdAt,
  }
  await db
    .insertInto('facility')
    .values([
      { ...facility, id: 'bogor', name: 'Bogor', level: 'district', parentId: null, path: 'bogor/' },
      {
        ...facility,
        id: 'cisarua',
        name: 'Puskesmas Cisarua',
        level: 'facility',
        parentId: 'bogor',
        path: 'bogor/cisarua/',
      },
      {
        ...facility,
        id: 'ciawi',
        name: 'Puskesmas Ciawi',
        level: 'facility',
        parentId: 'bogor',
        path: 'bogor/ciawi/',
      },
    ])
    .execute()
  await db
    .insertInto('equipment')
    .values({
      id: 'fridge',
      facilityId: 'cisarua',
      storagePointId: null,
      name: 'Refrigerator 3',
      kind: 'refrigerator',
      profile: 'who-30dtr',
      createdAt,
    })
    .execute()
  await db
    .insertInto('device')
    .values({
      id: 'logger',
      name: 'Logger 17',
      equipmentId: 'fridge',
      isGateway: 0,
      gatewayId: null,
      tokenHash: null,
      disabledAt: null,
      createdAt,
    })
    .execute()
}

export async function insertUser(
  db: Db,
  username: string,
  row: Partial<UserAccountTable> = {},
): Promise<void> {
  await db
    .insertInto('userAccount')
    .values({
      id: randomUUIDv7(),
      username,
      name: username,
      email: `${username}@example.org`,
      passwordHash: '',
      role: 'operator',
      facilityId: 'cisarua',
      disabledAt: null,
      createdAt: NOW,
      ...row,
    })
    .execute()
}

/** What the judge does when it finds a breach: the row and its change. By default warm for ten hours, until five minutes ago. */
export async function openBreach(world: World, row: Partial<BreachTable> = {}): Promise<BreachTable> {
  const now = world.clock.now()
  const breach: BreachTable = {
    id: randomUUIDv7(),
    deviceId: 'logger',
    sensor: 'main',
    ruleId: 'who-30dtr-high',
    equipmentId: 'fridge',
    facilityId: 'cisarua',
    state: 'open',
    severity: 'critical',
    startAt: now - 605 * MINUTE_MS,
    endAt: null,
    peak: 11.4,
    peakAt: now - 65 * MINUTE_MS,
    lastAt: now - 5 * MINUTE_MS,
    readings: 61,
    acknowledgedAt: null,
    ...NOT_CLOSED,
    outageId: null,
    cause: null,
    recordedAt: now,
    updatedAt: now,
    ...row,
  }
  await world.db.transaction().execute(async (trx) => {
    await trx.insertInto('breach').values(breach).execute()
    await trx
      .insertInto('breachChange')
      .values(changeOf(breach.id, 'opened', now))
      .execute()
  })
  return breach
}

/** A change of a breach and its row, as the judge writes them. */
export async function changeBreach(
  world: World,
  breachId: string,
  kind: BreachChangeKind,
  row: Partial<BreachTable>,
): Promise<void> {
  const change = changeOf(breachId, kind, world.clock.now())
  await world.db.transaction().execute(async (trx) => {
    await trx
      .updateTable('breach')
      .set({ ...row, updatedAt: change.at })
      .where('id', '=', breachId)
      .execute()
    await trx.insertInto('breachChange').values(change).execute()
  })
}

export function endBreach(world: World, breachId: string): Promise<void> {
  return changeBreach(world, breachId, 'ended', { state: 'ended', endAt: world.clock.now() })
}

function changeOf(breachId: string, kind: BreachChangeKind, at: number) {
  return {
    id: randomUUIDv7(),
    breachId,
    kind,
    at,
    actor: 'judge',
    before: null,
    after: null,
    toldAt: null,
  }
}

/** Until every change was looked at, nothing is due, and every attempt that was begun has been logged with its outcome. */
export function settled(world: World): Promise<boolean> {
  return waitFor(async () => {
    const untold = await world.db
      .selectFrom('breachChange')
      .select('id')
      .where('toldAt', 'is', null)
      .execute()
    const rows = await world.notifications()
    const pending = rows.filter((row) => row.status === 'pending')
    const due = pending.filter((row) => row.nextAttemptAt <= world.clock.now())
    const begun = rows.reduce((sum, row) => sum + row.attempts, 0)
    const ended = world.lines.filter((line) =>
      /"msg":"notification (sent|retried|failed|dropped)"/.test(line),
    )
    const isBlocked = (row: (typeof rows)[number]) =>
      pending.some((other) => other.breachId === row.breachId && other.createdAt < row.createdAt)
    return untold.length === 0 && due.every(isBlocked) && begun === ended.length
  }, 'everything due to be said')
}

export interface Received {
  readonly body: string
  readonly headers: Record<string, string>
  readonly url: string
  readonly json: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> }
}

/** A receiver of webhooks that does what the test tells it; it keeps what it has answered with 2xx apart from what it was sent. */
export async function createReceiver(t: Teardown) {
  const sent: Received[] = []
  const taken: Received[] = []
  const receiver = {
    sent,
    taken,
    url: '',
    /** Answers and returns true, or takes over and returns false. */
    answer: (response: ServerResponse): void => void response.writeHead(204).end(),
    close: () => server.close(() => undefined),
    kill: () => server.closeAllConnections(),
  }
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const received: Received = {
      body,
      headers: request.headers as Record<string, string>,
      url: request.url ?? '',
      json: JSON.parse(body) as Received['json'],
    }
    sent.push(received)
    response.on('finish', () => {
      if (response.statusCode < 300) taken.push(received)
    })
    receiver.answer(response)
  }
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return receiver
}
