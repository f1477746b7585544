import * as fc from 'fast-check'
import { test } from 'tap'
import { checkLedger } from './ledger-check.ts'
import { operationOf, operations, plantBench, replay, sameStock, send, step } from './stock-drive.ts'
import { StockModel } from './stock-model.ts'
import { onBothDatabases, openStockWorld } from './stock-world.ts'

// P4 as a property: random operations against the API and against a model. STOCK_OPERATIONS=20000 is the long form.
const OPERATIONS = Number(process.env.STOCK_OPERATIONS ?? 1000)

test('the ledger and a model agree', { timeout: 240_000 }, async (suite) =>
  onBothDatabases(suite, async (t, databaseUrl) => {
    const world = await openStockWorld(t, databaseUrl)
    await t.test('one after the other: the same answers, the same stock', async (t) => {
      const perRun = 100
      await fc.assert(
        fc.asyncProperty(fc.array(operations, { minLength: perRun, maxLength: perRun }), async (drawn) => {
          const bench = await plantBench(world)
          const model = new StockModel()
          for (const one of drawn) await step(bench, model, operationOf(bench, one))
          await sameStock(bench, model)
        }),
        { numRuns: Math.ceil(OPERATIONS / perRun), endOnFailure: true },
      )
      await checkLedger(t, world.db)
    })
    await t.test('many at once: what was accepted fits the model in the order of its numbers', async (t) => {
      await fc.assert(
        fc.asyncProperty(fc.array(operations, { minLength: 100, maxLength: 100 }), async (drawn) => {
          const bench = await plantBench(world)
          const all = drawn.map((one) => operationOf(bench, one)).filter(({ kind }) => kind !== 'reversal')
          const answers = await Promise.all(all.map((operation) => send(bench, operation, undefined)))
          // What cannot be is refused, not run into the wall of the database.
          const failed = answers.find(({ status }) => status >= 500)
          if (failed) throw new Error(JSON.stringify(failed.body))
          await replay(bench, all)
        }),
        { numRuns: Math.ceil(OPERATIONS / 200), endOnFailure: true },
      )
      await checkLedger(t, world.db)
    })
  }),
)
