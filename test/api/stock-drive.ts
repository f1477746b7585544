import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { StockModel, type Operation, type Place } from './stock-model.ts'
import { plantLot, type StockWorld } from './stock-world.ts'
import type { Answer } from './world.ts'

const LOTS = 2
const HOUR_MS = 3_600_000
/** All operations lie in these hours, so that most come late. */
const HOURS = 40

const doses = fc.integer({ min: 1, max: 60 })
const place = fc.constantFrom<Place>('room', 'box')
const held = fc.boolean()
const head = {
  hour: fc.integer({ min: 0, max: HOURS }),
  lot: fc.integer({ min: 0, max: LOTS - 1 }),
}

/** What is drawn. Receiving comes often, so that there is something to take. */
export const operations = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ...head, kind: fc.constant('receive'), place, doses }) },
  {
    weight: 3,
    arbitrary: fc.record({ ...head, kind: fc.constantFrom('issue', 'return', 'wastage'), place, doses }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...head,
      kind: fc.constant('adjust'),
      place,
      doses: fc.integer({ min: -60, max: 60 }).filter(Boolean),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ ...head, kind: fc.constantFrom('transfer', 'vvm'), place, doses, held }),
  },
  { weight: 2, arbitrary: fc.record({ ...head, kind: fc.constantFrom('hold', 'release'), place, doses }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...head,
      kind: fc.constant('consume'),
      place,
      administered: fc.integer({ min: 1, max: 30 }),
      wasted: fc.integer({ min: 0, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...head,
      kind: fc.constant('count'),
      place,
      counted: fc.integer({ min: 0, max: 120 }),
      expected: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...head, kind: fc.constant('reversal'), of: fc.nat() }) },
)

export interface Bench {
  readonly world: StockWorld
  readonly lots: readonly string[]
  readonly epoch: number
}

export async function plantBench(world: StockWorld): Promise<Bench> {
  const lots: string[] = []
  for (let lot = 0; lot < LOTS; lot += 1) lots.push(await plantLot(world.db, world.penta, randomUUID()))
  return { world, lots, epoch: Date.now() - (HOURS + 1) * HOUR_MS }
}

export function operationOf({ epoch }: Bench, { hour, ...drawn }: { readonly hour: number }): Operation {
  return { ...drawn, id: randomUUID(), occurredAt: epoch + hour * HOUR_MS } as unknown as Operation
}

export async function step(bench: Bench, model: StockModel, operation: Operation): Promise<void> {
  const verdict = model.judge(operation)
  const { status, body } = await send(bench, operation, model)
  if ('code' in verdict) {
    if (status === 201 || String(body['code']) !== verdict.code)
      throw new Error(
        `${JSON.stringify(operation)}: ${verdict.code} was due, not ${status} ${JSON.stringify(body)}`,
      )
    return
  }
  if (status !== 201) throw new Error(`${JSON.stringify(operation)}: refused with ${JSON.stringify(body)}`)
  model.accept(operation, verdict.entries)
}

/** @param key Idempotency-Key */
export function send(
  bench: Bench,
  operation: Operation,
  model: StockModel | undefined,
  key?: string,
): Promise<Answer> {
  const { world } = bench
  const { post, admin } = world
  if (operation.kind !== 'reversal')
    return post('/v1/stock-events', admin, bodyOf(bench, operation, model), key)
  const target = model?.targetOf(operation) ?? randomUUID()
  return post(`/v1/stock-events/${target}/reverse`, admin, { id: operation.id }, key)
}

const REASONS: Partial<Record<Operation['kind'], string>> = {
  adjust: 'found',
  wastage: 'broken',
  return: 'surplus',
  hold: 'quality',
  release: 'quality',
}

function bodyOf(
  { world, lots }: Bench,
  { id, kind, occurredAt, lot, ...rest }: Exclude<Operation, { kind: 'reversal' }>,
  model: StockModel | undefined,
): object {
  const points = { room: world.tree.a.storagePoint, box: world.secondPoint }
  const { place: at, expected, ...quantities } = rest as typeof rest & { place?: Place; expected?: boolean }
  const line = {
    lotId: lots[lot],
    ...(at && { storagePointId: points[at] }),
    ...quantities,
    ...(kind === 'transfer' && at && { toStoragePointId: points[at === 'room' ? 'box' : 'room'] }),
    ...(kind === 'vvm' && { toVvmStage: 2 }),
    ...(kind === 'count' &&
      expected &&
      model && { expected: model.onHand(`${at} ${lot} 1 free`, occurredAt) }),
    ...(REASONS[kind] && { reasonCode: REASONS[kind] }),
  }
  const head = { id, kind, facilityId: world.tree.a.facility, occurredAt: new Date(occurredAt).toISOString() }
  return { ...head, lines: [line] }
}

/** What of these operations was accepted, in the order in which the ledger numbered it, must be acceptable to the model in that order. */
export async function replay(bench: Bench, all: readonly Operation[]): Promise<void> {
  const { world } = bench
  const byId = new Map(all.map((operation) => [operation.id, operation]))
  const events = await world.db
    .selectFrom('stockEvent')
    .select('id')
    .where('id', 'in', [...byId.keys()])
    .orderBy('number')
    .execute()
  const model = new StockModel()
  for (const { id } of events) {
    const operation = byId.get(id)
    if (!operation) throw new Error('an event nobody asked for')
    const verdict = model.judge(operation)
    if ('code' in verdict) throw new Error(`${JSON.stringify(operation)}: accepted, though ${verdict.code}`)
    model.accept(operation, verdict.entries)
  }
  await sameStock(bench, model)
}

export async function sameStock({ world, lots }: Bench, model: StockModel): Promise<void> {
  const names = new Map([
    [world.tree.a.storagePoint, 'room'],
    [world.secondPoint, 'box'],
    [world.tree.a.facility, 'wastage'],
  ])
  const rows = await world.db.selectFrom('stockBalance').selectAll().where('lotId', 'in', lots).execute()
  const actual = rows
    .filter((row) => row.doses !== 0)
    .map((row) => [
      `${names.get(row.accountId)} ${lots.indexOf(row.lotId)} ${row.vvmStage} ${row.held === 1 ? 'held' : 'free'}`,
      row.doses,
    ])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  const expected = [...model.lines()]
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`on hand: ${JSON.stringify(actual)}, should be ${JSON.stringify(expected)}`)
}
