import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'tap'
import { openSqliteSeries } from '../../adapters/series/sqlite.ts'
import { seriesContract } from '../contracts/series.ts'

const key = { deviceId: 'fridge', sensor: 'main' }
const at = (time: number) => ({ ...key, time, values: { temperature: 4 } })

seriesContract('SQLite series', async (t) => {
  const file = join(t.testdir(), 'series.sqlite')
  return () => openSqliteSeries({ file, commitEveryMs: 0 })
})

test('SQLite series: a pause between transactions delays no first write, and close does not wait for it', async (t) => {
  const series = await openSqliteSeries({ file: join(t.testdir(), 'series.sqlite'), commitEveryMs: 60_000 })
  await series.write([at(1)])
  t.equal((await series.latest('fridge'))[0]?.time, 1)
  const second = series.write([at(2)])
  await series.close()
  await second
  await t.rejects(series.write([at(3)]), { code: 'service.unavailable' })
})

test('SQLite series: buckets before 1970 are aligned too', async (t) => {
  const series = await openSqliteSeries({ file: join(t.testdir(), 'series.sqlite') })
  t.teardown(() => series.close())
  await series.write([-1, -1000, -1001, 0].map((time) => ({ ...key, time, values: { temperature: 1 } })))
  const query = { ...key, quantity: 'temperature', from: -5000, to: 5000, everyMs: 1000 } as const
  t.same(
    (await series.aggregate(query)).map(({ start, count }) => [start, count]),
    [
      [-2000, 1],
      [-1000, 2],
      [0, 1],
    ],
  )
})

test('SQLite series: a column that is missing from an older file is added', async (t) => {
  const file = join(t.testdir(), 'series.sqlite')
  const old = new DatabaseSync(file)
  old.exec(`CREATE TABLE reading (stream INTEGER NOT NULL, time INTEGER NOT NULL, temperature REAL,
    PRIMARY KEY (stream, time)) STRICT, WITHOUT ROWID`)
  old.close()
  const series = await openSqliteSeries({ file })
  t.teardown(() => series.close())
  const reading = { deviceId: 'fridge', sensor: 'main', time: 1, values: { temperature: 4, snr: -3 } }
  await series.write([reading])
  t.same(await series.latest('fridge'), [reading])
})

test('SQLite series: refuses what would be too many buckets, and a wrong time fails its own write only', async (t) => {
  const series = await openSqliteSeries({ file: join(t.testdir(), 'series.sqlite'), bucketsMax: 2 })
  t.teardown(() => series.close())
  const good = series.write([at(1), at(2), at(3)])
  await t.rejects(series.write([at(NaN)]))
  await good
  const query = { ...key, quantity: 'temperature', from: 0, to: 10, everyMs: 1 } as const
  await t.rejects(series.aggregate(query), { code: 'request.invalid' })
  t.equal((await series.aggregate({ ...query, everyMs: 2 })).length, 2)
})
