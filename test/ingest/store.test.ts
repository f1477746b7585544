import { randomUUIDv7 } from 'node:crypto'
import { test } from 'tap'
import type { AttributeUpdate, Refusal } from '../../domain/batch.ts'
import type { Reading } from '../../domain/reading.ts'
import type { Series } from '../../ports/series.ts'
import { waitFor } from '../wait-for.ts'
import { NOW, openWorld, packet } from './world.ts'

function batchOf(parts: { readings?: Reading[]; refusals?: Refusal[]; attributes?: AttributeUpdate[] }) {
  return { id: randomUUIDv7(), acceptedAt: NOW, readings: [], refusals: [], attributes: [], ...parts }
}

function reading(deviceId: string): Reading {
  return { deviceId, sensor: 'main', time: NOW, values: { temperature: 4 } }
}

function refusal(receivedAt = NOW): Refusal {
  const id = randomUUIDv7()
  return { id, deviceId: 'd', topic: 't', code: 'packet.empty', detail: '', payload: '', receivedAt }
}

function update(key: string, value: string, time: number): AttributeUpdate {
  return { deviceId: 'd', key, value, time }
}

test('one batch that the series store refuses does not hold back the others', async (t) => {
  const world = await openWorld(t)
  const series: Series = {
    ...world.series,
    write: async (readings) => {
      if (readings.some(({ deviceId }) => deviceId === 'poison')) throw new Error('refused')
      return world.series.write(readings)
    },
  }
  for (const id of ['a', 'poison', 'b'])
    await world.queue.publish(batchOf({ readings: [reading(id)] }), ['store'])
  await world.ingest({ series })
  await waitFor(() => world.queue.depth('store').batches === 1, 'the good ones to be stored')
  t.equal((await world.readings('a')).length, 1)
  t.equal((await world.readings('b')).length, 1)
  t.equal((await world.readings('poison')).length, 0)
})

test('while the series store is down batches are tried again, and then are there once', async (t) => {
  const world = await openWorld(t)
  let down = true
  let writes = 0
  const series: Series = {
    ...world.series,
    ping: async () => (down ? Promise.reject(new Error('down')) : world.series.ping()),
    write: async (readings) => {
      writes++
      return down ? Promise.reject(new Error('down')) : world.series.write(readings)
    },
  }
  const part = await world.ingest({ series })
  t.equal(await part.ready(), 'The series store does not answer.')
  await part.intake.accept(packet('d', { t: 4 }))
  await waitFor(() => writes >= 2, 'a second try')
  down = false
  await world.stored()
  t.equal((await world.readings('d')).length, 1)
  t.equal(await part.ready(), undefined)
})

test('a backlog is written in portions', async (t) => {
  const world = await openWorld(t)
  const sizes: number[] = []
  const series: Series = {
    ...world.series,
    write: async (readings) => {
      sizes.push(readings.length)
      return world.series.write(readings)
    },
  }
  for (let i = 0; i < 12; i++)
    await world.queue.publish(batchOf({ readings: [reading(`a${i}`), reading(`b${i}`)] }), ['store'])
  await world.ingest({ series, settings: { storeReadingsMax: 7 } })
  await world.stored()
  t.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    24,
  )
  t.ok(Math.max(...sizes) <= 7, `${sizes}`)
})

test('the newest attribute counts by its own time, in any order and however often', async (t) => {
  const world = await openWorld(t)
  const updates = [update('fw', 'new', 5), update('fw', 'old', 3), update('x', 'b', 1), update('x', 'a', 1)]
  await world.ingest()
  for (const order of [updates, updates.toReversed(), updates]) {
    await world.queue.publish(batchOf({ attributes: order }), ['store'])
    for (const one of order) await world.queue.publish(batchOf({ attributes: [one] }), ['store'])
    await world.stored()
    const rows = await world.db.selectFrom('deviceAttribute').selectAll().orderBy('key').execute()
    t.same(
      rows.map(({ key, value, updatedAt }) => [key, value, updatedAt]),
      [
        ['fw', 'new', 5],
        ['x', 'b', 1],
      ],
    )
  }
})

test('a batch that is delivered again changes nothing (P6)', async (t) => {
  const world = await openWorld(t)
  const batch = batchOf({ readings: [reading('d')], refusals: [refusal(), refusal()] })
  await world.ingest()
  for (let i = 0; i < 3; i++) {
    await world.queue.publish(batch, ['store'])
    await world.stored()
  }
  t.equal((await world.readings('d')).length, 1)
  t.equal((await world.db.selectFrom('refusal').selectAll().execute()).length, 2)
})

test('what is stored is announced', async (t) => {
  const world = await openWorld(t)
  const heard: Reading[] = []
  const { cache } = world
  t.teardown(cache.subscribe('readings', (readings) => heard.push(...readings)))
  const { intake } = await world.ingest()
  await intake.accept(packet('d', { t: 4 }))
  await waitFor(() => heard.length === 1, 'the announcement')
  t.same(heard, [reading('d')])
})

test('refusals beyond their age or their number are deleted, the oldest first', async (t) => {
  const world = await openWorld(t)
  const day = 86_400_000
  const ages = [91, 90.5, 50, 40, 30, 20, 10]
  await world.queue.publish(batchOf({ refusals: ages.map((age) => refusal(NOW - age * day)) }), ['store'])
  const first = await world.ingest()
  await world.stored()
  await first.stop()
  await world.ingest({ settings: { refusalsMax: 3 } })
  const kept = async () => {
    const rows = await world.db.selectFrom('refusal').select('receivedAt').orderBy('receivedAt').execute()
    return rows.map(({ receivedAt }) => (NOW - receivedAt) / day)
  }
  await waitFor(async () => (await kept()).length === 3, 'the purge')
  t.same(await kept(), [30, 20, 10])
  t.equal(await world.metric('coldstream_refusals_purged_total{limit="age"}'), 2)
  t.equal(await world.metric('coldstream_refusals_purged_total{limit="count"}'), 2)
})

test('a flood of refusals does not wait for the hour', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest({ settings: { refusalsMax: 20 } })
  for (let i = 0; i < 60; i++) await intake.accept(packet('d', `not JSON ${i}`))
  await world.stored()
  const count = async () => (await world.db.selectFrom('refusal').select('id').execute()).length
  await waitFor(async () => (await count()) <= 22, 'the purge')
  t.ok((await count()) >= 18)
})
