import * as fc from 'fast-check'
import { test, type Test } from 'tap'
import { hasGalera, startGalera } from '../services/galera.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { checkLedger } from './ledger-check.ts'
import { operationOf, operations, plantBench, replay, send, type Bench } from './stock-drive.ts'
import type { Operation } from './stock-model.ts'
import { openStockWorld } from './stock-world.ts'
import { openWorld, type Answer, type World } from './world.ts'

// P4 and P6 where the database itself goes away, or is three. STOCK_OPERATIONS=20000 is the long form, and the only one with a cluster.
const OPERATIONS = Number(process.env.STOCK_OPERATIONS ?? 200)
const IS_LONG = process.env.STOCK_OPERATIONS !== undefined
/** Requests at once. */
const CLIENTS = 24
/** How often a client sends again what nobody answered. */
const TRIES_MAX = 20
/** For a server that was killed to come back. */
const READY_MS_MAX = 120_000
const PER_RUN = 200

test('kill -9 of the database', { timeout: 600_000, skip: skipWithout('MariaDB', hasMariadb) }, async (t) => {
  const server = await startMariadb()
  t.teardown(() => server.stop())
  const world = await openStockWorld(t, server.url)
  await eachRun(async (drawn) => {
    const bench = await plantBench(world)
    const all = drawn.map((one) => operationOf(bench, one)).filter(({ kind }) => kind !== 'reversal')
    const answers = await drive([bench], all, async () => {
      await server.kill()
      await server.start()
    })
    await isAllThere(bench, all, answers)
  })
  await checkLedger(t, world.db)
})

test(
  'a cluster of three, written to on every node',
  {
    timeout: 1_200_000,
    skip: skipWithout('Galera', hasGalera) || (!IS_LONG && 'STOCK_OPERATIONS is not set'),
  },
  async (t) => {
    const cluster = await startGalera()
    t.teardown(() => cluster.stop())
    const [first, second, third] = cluster.nodes
    if (!first || !second || !third) throw new Error('a cluster has three nodes')
    const world = await openStockWorld(t, first.url)
    let runs = 0
    await onNodes(t, [second.url, third.url], [], async (others) =>
      eachRun(async (drawn) => {
        const bench = await plantBench(world)
        const benches = [
          bench,
          ...others.map((other): Bench => ({ ...bench, world: { ...world, ...other } })),
        ]
        const all = drawn.map((one) => operationOf(bench, one)).filter(({ kind }) => kind !== 'reversal')
        // Every other run a node dies in the middle; those who wrote to it turn to the next one.
        const isFatal = runs++ % 2 === 1
        const answers = await drive(benches, all, async () => {
          if (!isFatal) return
          await third.kill()
          await third.restart()
        })
        await isAllThere(bench, all, answers)
      }),
    )
    await checkLedger(t, world.db)
  },
)

/** An api on each of these databases; each has a test, and so a folder, of its own. */
async function onNodes(
  t: Test,
  [databaseUrl, ...urls]: readonly string[],
  worlds: readonly World[],
  run: (worlds: readonly World[]) => Promise<void>,
): Promise<void> {
  if (databaseUrl === undefined) return run(worlds)
  await t.test(`with ${worlds.length + 2} nodes`, async (own) =>
    onNodes(own, urls, [...worlds, await openWorld(own, { databaseUrl })], run),
  )
}

function eachRun(run: (drawn: readonly { readonly hour: number }[]) => Promise<void>): Promise<void> {
  const drawn = fc.array(operations, { minLength: PER_RUN, maxLength: PER_RUN })
  const runs = { numRuns: Math.ceil(OPERATIONS / PER_RUN), endOnFailure: true }
  return fc.assert(fc.asyncProperty(drawn, run), runs)
}

/** Sends all of them, some at once, in turn to all; `strike` comes when half of them are answered. */
async function drive(
  benches: readonly Bench[],
  all: readonly Operation[],
  strike: () => Promise<void>,
): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>()
  let next = 0
  let struck: Promise<void> | undefined
  async function client(): Promise<void> {
    for (let index = next++; index < all.length; index = next++) {
      const operation = all[index]
      if (!operation) return
      if (answers.size >= all.length / 2) struck ??= strike()
      answers.set(operation.id, await settle(benches, operation, index))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  await struck
  return answers
}

/** Sends it, with its Idempotency-Key, until somebody says what became of it. */
async function settle(benches: readonly Bench[], operation: Operation, from: number): Promise<Answer> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const bench = benches[(from + tries) % benches.length]
    if (!bench) break
    const answer = await send(bench, operation, undefined, operation.id)
    if (answer.status < 500) return answer
    await waitFor(async () => (await bench.world.get('/readyz')).status === 200, 'the database', READY_MS_MAX)
  }
  throw new Error(`nobody answered ${JSON.stringify(operation)}`)
}

/** What was accepted is in the ledger, once, as it was answered; what was refused is not; and all of it fits the model. */
async function isAllThere(
  bench: Bench,
  all: readonly Operation[],
  answers: ReadonlyMap<string, Answer>,
): Promise<void> {
  const rows = await bench.world.db
    .selectFrom('stockEvent')
    .select(['id', 'documentNo'])
    .where(
      'id',
      'in',
      all.map(({ id }) => id),
    )
    .execute()
  const written = new Map(rows.map(({ id, documentNo }) => [id, documentNo]))
  for (const [id, { status, body }] of answers) {
    const documentNo = status === 201 ? String(body['documentNo']) : undefined
    if (written.get(id) !== documentNo)
      throw new Error(`${id}: answered ${status} ${JSON.stringify(body)}, written as ${written.get(id)}`)
  }
  if (![...answers.values()].some(({ status }) => status === 201)) throw new Error('nothing was accepted')
  await replay(bench, all)
}
