import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUIDv7 } from 'node:crypto'
import { pino } from 'pino'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { openEmbeddedQueue, type EmbeddedQueue } from '../../adapters/queue/embedded.ts'
import { openSqliteSeries } from '../../adapters/series/sqlite.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { insertProfile, insertVersion } from '../../db/queries/rule-profile.ts'
import type { BreachTable, Db } from '../../db/schema.ts'
import type { Reading } from '../../domain/reading.ts'
import { EVERYWHERE } from '../../domain/rule-resolution.ts'
import type { Rule } from '../../domain/rule.ts'
import { startJudge, type Judge, type JudgeSettings } from '../../notifier/judge.ts'
import type { Cache } from '../../ports/cache.ts'
import { systemClock } from '../../ports/clock.ts'
import type { Metrics } from '../../ports/metrics.ts'
import { QUEUES, type ConsumeOptions, type Consumer, type Queue } from '../../ports/queue.ts'
import type { Series } from '../../ports/series.ts'
import { waitFor } from '../wait-for.ts'

/** Everything around the judge, for real, on files of its own: what is open now goes and comes back with a restart. */
export interface World {
  db: Db
  queue: EmbeddedQueue
  series: Series
  cache: Cache
  judge: Judge
  storing: Consumer
  /** Before each write to the series store. */
  storeDelayMs: number
  /**
   * After so many steps of the judge (a batch published, a transaction begun, a call answered) every further one fails, as if the process were dead:
   * until `restart`. Halfway: the step itself is done, but the judge does not hear of it.
   */
  fuse: number
  readonly counts: Map<string, number>
  readonly published: string[]
  /** Calls begun by queue. */
  readonly calls: Map<string, number>
  /** Requests to the series store. */
  reads: number
  /** Tells the judge that another process may have had deliveries of these devices. */
  tellGap: NonNullable<ConsumeOptions['onGap']>
}

export interface TestWorld extends World {
  publish(readings: readonly Reading[]): Promise<void>
  /** Waits until every queue is empty. */
  settle(): Promise<void>
  restart(): Promise<void>
  /** A device in a refrigerator that these rules hold for. */
  addDevice(profile: string): Promise<string>
  breaches(deviceId: string): Promise<BreachTable[]>
  /** Readings judged by a path so far. */
  judged(path: 'in-order' | 'window'): number
  close(): Promise<void>
}

/** @param rules beside the shipped storage profiles; without it, all that ships holds, also what is for all equipment */
export async function openWorld(
  settings: Partial<JudgeSettings>,
  rules?: readonly Rule[],
): Promise<TestWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'judge-'))
  const world = {
    storeDelayMs: 0,
    fuse: Infinity,
    counts: new Map(),
    published: [],
    calls: new Map(),
    reads: 0,
  } as unknown as World
  const open = async () => {
    const { counts } = world
    const metrics: Metrics = {
      count: (name, labels, by = 1) => {
        const key = [name, ...Object.values(labels)].join(' ')
        counts.set(key, (counts.get(key) ?? 0) + by)
      },
      set: () => undefined,
      observe: () => undefined,
    }
    const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' })
    const limits = { retryDelayMs: 1, retryDelayMsMax: 5, triesMax: 1000 }
    world.queue = await openEmbeddedQueue({ file: join(folder, 'queue.db'), metrics, limits })
    world.series = await openSqliteSeries({ file: join(folder, 'series.db') })
    world.cache = openMemoryCache({ entriesMax: 100 })
    world.cache.subscribe('breaches', ({ kind }) => void world.published.push(kind))
    world.storing = world.queue.consume(
      'store',
      async (deliveries) => {
        if (world.storeDelayMs > 0) await sleep(world.storeDelayMs)
        await world.series.write(deliveries.flatMap(({ batch }) => batch.readings))
        return deliveries.map(() => 'done')
      },
      { deliveriesMax: 64 },
    )
    const { cache } = world
    const clock = systemClock
    world.judge = await startJudge({
      queue: burning(world),
      db: burningDb(world),
      series: counting(world),
      cache,
      metrics,
      log,
      clock,
      settings,
    })
  }
  const shut = async () => {
    await world.judge.stop()
    await world.storing.stop()
    await world.queue.close()
    await world.series.close()
    await world.cache.close()
  }

  world.db = await openDb(`sqlite:${join(folder, 'db.db')}`)
  await migrate(world.db)
  if (rules !== undefined) {
    // Of what holds for all equipment, only what a test gives.
    await world.db.deleteFrom('profileRule').where('profile', '=', EVERYWHERE).execute()
    await plantProfiles(world.db, rules)
  }
  const facilityId = await addFacility(world.db)
  await open()

  return Object.assign(world, {
    publish: (readings: readonly Reading[]) => {
      const id = randomUUIDv7()
      const acceptedAt = Date.now()
      return world.queue.publish({ id, acceptedAt, readings, refusals: [], attributes: [] }, [
        'store',
        'judge',
      ])
    },
    settle: async () => {
      await waitFor(
        () => QUEUES.every((queue) => world.queue.depth(queue).batches === 0),
        'all queues to be empty',
        20_000,
      )
    },
    restart: async () => {
      world.fuse = 0
      await shut()
      world.fuse = Infinity
      await open()
    },
    addDevice: (profile: string) => addDevice(world.db, facilityId, profile),
    breaches: (deviceId: string) =>
      world.db
        .selectFrom('breach')
        .selectAll()
        .where('deviceId', '=', deviceId)
        .where('state', '!=', 'withdrawn')
        .orderBy('sensor')
        .orderBy('ruleId')
        .orderBy('startAt')
        .execute(),
    judged: (path: string) => world.counts.get(`coldstream_readings_judged_total ${path}`) ?? 0,
    close: async () => {
      await shut()
      await world.db.destroy()
      rmSync(folder, { recursive: true })
    },
  })
}

function burn(world: World): void {
  if (world.fuse <= 0) throw new Error('the process is dead')
  world.fuse -= 1
}

function burning(world: World): Queue {
  const { queue } = world
  return {
    ...queue,
    async publish(batch, to) {
      burn(world)
      await queue.publish(batch, to)
      burn(world)
    },
    consume: (name, handler, options) => {
      if (options.onGap) world.tellGap = options.onGap
      return queue.consume(
        name,
        async (deliveries) => {
          world.calls.set(name, (world.calls.get(name) ?? 0) + 1)
          burn(world)
          const verdicts = await handler(deliveries)
          burn(world)
          return verdicts
        },
        options,
      )
    },
  }
}

function counting(world: World): Series {
  const { series } = world
  return {
    ...series,
    read(query) {
      world.reads += 1
      return series.read(query)
    },
    readTails(...query) {
      world.reads += 1
      return series.readTails(...query)
    },
  }
}

function burningDb(world: World): Db {
  const { db } = world
  return new Proxy(db, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'transaction') {
        return () => ({
          execute: async (task: Parameters<ReturnType<Db['transaction']>['execute']>[0]) => {
            burn(world)
            const result = await db.transaction().execute(async (trx) => {
              const made = await task(trx)
              burn(world)
              return made
            })
            burn(world)
            return result
          },
        })
      }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Each profile in its first version, which always holds. */
export async function plantProfiles(db: Db, rules: readonly Rule[]): Promise<void> {
  const published = { version: 1, comment: '', publishedAt: 0, publishedBy: null }
  for (const [profile, of] of Map.groupBy(rules, (rule) => rule.profile)) {
    const texts = { name: profile, description: '' }
    await insertProfile(db, { code: profile, ...texts, facilityId: null, isShipped: 0, createdAt: 0 })
    const always = { profile, validFrom: null, validTo: null, ...published }
    await insertVersion(
      db,
      always,
      of.map((rule) => ({ ...rule, version: 1 })),
    )
  }
}

async function addFacility(db: Db): Promise<string> {
  const id = randomUUIDv7()
  const place = { id, name: 'Cisarua', level: 'facility' as const, parentId: null, timeZone: 'Asia/Jakarta' }
  await db
    .insertInto('facility')
    .values({
      ...place,
      path: `${id}/`,
      code: null,
      gln: null,
      population: null,
      version: 1,
      createdAt: 0,
      updatedAt: 0,
    })
    .execute()
  return id
}

async function addDevice(db: Db, facilityId: string, profile: string): Promise<string> {
  const equipmentId = randomUUIDv7()
  const deviceId = randomUUIDv7()
  await db
    .insertInto('equipment')
    .values({
      id: equipmentId,
      facilityId,
      storagePointId: null,
      name: 'Refrigerator 3',
      kind: 'refrigerator',
      profile,
      createdAt: 0,
    })
    .execute()
  await db
    .insertInto('device')
    .values({
      id: deviceId,
      name: `logger ${deviceId}`,
      equipmentId,
      isGateway: 0,
      gatewayId: null,
      tokenHash: null,
      disabledAt: null,
      createdAt: 0,
    })
    .execute()
  return deviceId
}
