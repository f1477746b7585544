import { randomUUIDv7 } from 'node:crypto'
import { join } from 'node:path'
import { pino } from 'pino'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { openSqliteSeries } from '../../adapters/series/sqlite.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import type { BreachTable } from '../../db/schema.ts'
import type { Reading, Values } from '../../domain/reading.ts'
import { expandChanges } from '../../notifier/expand.ts'
import { createSweep } from '../../notifier/sweep.ts'
import { attempt } from '../../notifier/send.ts'
import { TELL_DEFAULTS } from '../../notifier/tell.ts'
import { createWatch, type Watch, type WatchSettings } from '../../notifier/watch.ts'
import { createMetrics } from '../../main/metrics.ts'
import type { Notice, NoticeChannel } from '../../ports/notice.ts'
import type { Queue, QueueName } from '../../ports/queue.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** 2026-03-14T00:00Z. */
export const NOW = Date.UTC(2026, 2, 14)

interface Teardown {
  teardown(fn: () => unknown): unknown
  testdir(): string
}

export interface Mail {
  readonly to: string
  readonly step: string
  readonly subject: string
  readonly text: string
  readonly at: number
}

/** The watchdog with a real database, a real series store and all of telling people; time is what the test says. */
export async function createWatchWorld(
  t: Teardown,
  options: { readonly url?: string; readonly settings?: Partial<WatchSettings> } = {},
) {
  const url = options.url ?? 'sqlite::memory:'
  const db = await openDb(url)
  await migrate(db)
  const series = await openSqliteSeries({ file: join(t.testdir(), 'series.sqlite'), commitEveryMs: 0 })
  const cache = openMemoryCache({ entriesMax: 1_000 })
  const clock = { at: NOW, now: () => clock.at }
  const log = pino({ level: 'silent' })
  const metrics = createMetrics()
  const mails: Mail[] = []
  const channel: NoticeChannel = {
    kind: 'smtp',
    destination: 'mail',
    needsRecipient: true,
    async send({ step, subject, text, recipient }: Notice) {
      mails.push({ to: recipient ?? '', step, subject, text, at: clock.at })
    },
    close: async () => undefined,
  }
  // What waits in the queues: nothing, but for a test that says so.
  const pending: Partial<Record<QueueName, number>> = {}
  const queue = { pendingSince: (name: QueueName) => pending[name] } as Queue
  const open = (ownDb = db) =>
    createWatch({
      db: ownDb,
      series,
      cache,
      clock,
      log,
      metrics,
      queue,
      settings: { absentMsMin: 15 * MINUTE, ...options.settings },
    })
  const world = { watches: [open()] as Watch[] }
  const tell = { db, cache, clock, log, metrics, channels: [channel], settings: TELL_DEFAULTS }
  const tellSweep = createSweep(tell)
  t.teardown(async () => {
    await series.close()
    await cache.close()
    await db.destroy()
  })

  async function tellAll(): Promise<void> {
    while (await expandChanges(tell));
    await tellSweep()
    for (;;) {
      const due = await db
        .selectFrom('notification')
        .selectAll()
        .where('status', '=', 'pending')
        .orderBy('createdAt')
        .execute()
      if (due.length === 0) return
      for (const row of due) await attempt(tell, channel, row)
    }
  }

  /** Readings that arrive now: stored, and noticed by the watcher that has the device. */
  async function arrive(readings: readonly Reading[], isStored = true): Promise<void> {
    if (isStored) await series.write(readings)
    const byWatch = Map.groupBy(readings, ({ deviceId }) => partition(deviceId, world.watches.length))
    for (const [index, some] of byWatch) {
      const batch = { id: randomUUIDv7(), acceptedAt: clock.at, readings: some, refusals: [], attributes: [] }
      await world.watches[index]?.note([{ batch, attempt: 1 }])
    }
  }

  return {
    db,
    series,
    cache,
    clock,
    metrics,
    mails,
    pending,
    open,
    world,
    arrive,
    tellAll,
    tellSettings: tell,
    /** Every watcher looks, at the same time, and then people are told. */
    async sweep(): Promise<void> {
      await Promise.all(world.watches.map((watch) => watch.sweep()))
      await tellAll()
    },
    breaches: (ruleId: string): Promise<BreachTable[]> =>
      db
        .selectFrom('breach')
        .selectAll()
        .where('ruleId', '=', ruleId)
        .orderBy('startAt')
        .orderBy('id')
        .execute(),
    async place(
      level: 'province' | 'district' | 'facility',
      name: string,
      parent?: { id: string; path: string },
    ) {
      const id = randomUUIDv7()
      const path = `${parent?.path ?? ''}${id}/`
      const row = { id, name, level, path, parentId: parent?.id ?? null, timeZone: 'Asia/Jakarta' }
      await db
        .insertInto('facility')
        .values({ ...row, code: null, gln: null, population: null, version: 1, createdAt: 0, updatedAt: 0 })
        .execute()
      return { id, path, name }
    },
    async device(facilityId: string, name: string, gatewayId: string | null = null, isGateway = false) {
      const equipmentId = randomUUIDv7()
      const id = randomUUIDv7()
      const of = { facilityId, storagePointId: null, kind: 'refrigerator' as const, profile: 'who-30dtr' }
      await db
        .insertInto('equipment')
        .values({ id: equipmentId, name: `Fridge of ${name}`, ...of, createdAt: 0 })
        .execute()
      const row = { id, name, equipmentId, gatewayId, tokenHash: null, disabledAt: null, createdAt: 0 }
      await db
        .insertInto('device')
        .values({ ...row, isGateway: isGateway ? 1 : 0 })
        .execute()
      return id
    },
    async person(name: string, facilityId: string, role: 'operator' | 'manager') {
      const row = { id: randomUUIDv7(), username: name, name, email: `${name}@example.org`, role, facilityId }
      await db
        .insertInto('userAccount')
        .values({ ...row, passwordHash: '', disabledAt: null, createdAt: 0 })
        .execute()
      return row.email
    },
  }
}

export type WatchWorld = Awaited<ReturnType<typeof createWatchWorld>>

function partition(deviceId: string, count: number): number {
  return [...deviceId].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 9973, 7) % count
}

export function reading(deviceId: string, time: number, values: Values = { temperature: 4 }): Reading {
  return { deviceId, sensor: 'main', time, values }
}
