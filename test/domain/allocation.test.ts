import * as fc from 'fast-check'
import { test } from 'tap'
import { allocate, type AllocationRules, type Candidate, type Need } from '../../domain/allocation.ts'

const rules: AllocationRules = {
  day: '2026-06-01',
  shelfLifeDaysMin: 30,
  wholePacks: false,
  mayBeUnusable: false,
}
const stock = (lotId: string, more: Partial<Candidate> = {}): Candidate => ({
  itemId: 'penta',
  storagePointId: 'room',
  lotId,
  vvmStage: 1,
  held: false,
  available: 100,
  expiresOn: '2027-01-01',
  isRecalled: false,
  dosesPerPack: 10,
  ...more,
})
const need = (doses: number): Need[] => [{ line: 1, itemId: 'penta', doses }]
const told = (choices: ReturnType<typeof allocate>['choices']) =>
  choices.map(({ candidate, doses, why }) => `${candidate.lotId} ${doses} ${why}`)

test('VVM stage 2 before 1, then what expires first', async (t) => {
  const all = [
    stock('late'),
    stock('soon', { expiresOn: '2026-08-01' }),
    stock('dark', { vvmStage: 2, available: 30, expiresOn: '2028-01-01' }),
  ]
  t.same(told(allocate(need(180), all, rules).choices), ['dark 30 vvm', 'soon 100 expiry', 'late 50 expiry'])
})

test('what must not be used is passed over, and it is said why', async (t) => {
  const all = [
    stock('expired', { expiresOn: '2026-05-31' }),
    stock('short', { expiresOn: '2026-06-30' }),
    stock('held', { held: true }),
    stock('recalled', { isRecalled: true }),
    stock('discard', { vvmStage: 3 }),
    stock('promised', { available: 0 }),
    stock('good', { expiresOn: '2026-07-01', available: 5 }),
  ]
  const { choices, passedOver } = allocate(need(50), all, rules)
  t.same(told(choices), ['good 5 expiry'])
  t.same(
    new Map(passedOver.map(({ candidate, obstacle }) => [candidate.lotId, obstacle])),
    new Map([
      ['expired', 'expired'],
      ['short', 'shelfLife'],
      ['held', 'held'],
      ['recalled', 'recalled'],
      ['discard', 'vvm'],
      ['promised', 'promised'],
    ]),
  )
})

test('a person may choose otherwise, with a reason, but not what must not be used', async (t) => {
  const all = [
    stock('soon', { expiresOn: '2026-08-01' }),
    stock('late'),
    stock('old', { expiresOn: '2026-01-01' }),
  ]
  const by = (lotId: string, doses: number, more: Partial<AllocationRules> = {}) =>
    allocate(need(50), all, { ...rules, ...more }, [
      { line: 1, storagePointId: 'room', lotId, vvmStage: 1, held: false, doses, reasonCode: 'near-expiry' },
    ])
  t.match(by('late', 50).choices, [
    { candidate: { lotId: 'late' }, why: 'manual', reasonCode: 'near-expiry' },
  ])
  const refuses = (code: string, run: () => unknown) => t.throws(run, { code })
  refuses('order.quantity', () => by('late', 51))
  refuses('stock.lotExpired', () => by('old', 1))
  refuses('stock.insufficient', () => by('none', 1))
  t.match(
    by('old', 1, { mayBeUnusable: true }).choices,
    [{ candidate: { lotId: 'old' } }],
    'but for a return',
  )
})

const candidates = fc
  .uniqueArray(
    fc.record({
      itemId: fc.constantFrom('penta', 'bcg'),
      storagePointId: fc.constantFrom('p', 'q'),
      lotId: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      vvmStage: fc.constantFrom(1, 2, 3, 4),
      held: fc.boolean(),
      available: fc.nat(200),
    }),
    {
      maxLength: 25,
      selector: (one) => JSON.stringify([one.storagePointId, one.lotId, one.vvmStage, one.held]),
    },
  )
  .map((all) =>
    all.map((one): Candidate => ({
      ...one,
      vvmStage: one.vvmStage as Candidate['vvmStage'],
      // A lot has one item, one expiry, one state.
      itemId: one.lotId < 'd' ? 'penta' : 'bcg',
      expiresOn:
        { a: '2026-05-01', b: '2026-06-15', c: '2026-09-01', d: '2026-10-01', e: '2027-01-01' }[one.lotId] ??
        '',
      isRecalled: one.lotId === 'e',
      dosesPerPack: one.lotId === 'c' ? 20 : 10,
    })),
  )
const needs = fc.tuple(fc.nat(500), fc.nat(500)).map(([penta, bcg]): Need[] => [
  { line: 1, itemId: 'penta', doses: penta },
  { line: 2, itemId: 'bcg', doses: bcg },
])
const comesBefore = (a: Candidate, b: Candidate) =>
  (a.vvmStage === 2 && b.vvmStage === 1) || (a.vvmStage === b.vvmStage && a.expiresOn < b.expiresOn)
const isUsable = ({ held, isRecalled, vvmStage, expiresOn }: Candidate) =>
  !held && !isRecalled && vvmStage <= 2 && expiresOn >= '2026-07-01'

test('never more than there is or is needed, all that is needed if it is there, only what is usable', async () => {
  fc.assert(
    fc.property(candidates, needs, fc.boolean(), (all, wanted, wholePacks) => {
      const { choices } = allocate(wanted, all, { ...rules, wholePacks })
      const taken = Map.groupBy(choices, ({ candidate }) => candidate)
      for (const [candidate, of] of taken) {
        if (!isUsable(candidate)) return false
        if (of.reduce((sum, { doses }) => sum + doses, 0) > candidate.available) return false
        if (wholePacks && of.some(({ doses }) => doses % candidate.dosesPerPack !== 0)) return false
      }
      return wanted.every(({ line, itemId, doses }) => {
        const got = choices.filter((one) => one.line === line).reduce((sum, one) => sum + one.doses, 0)
        const there = all
          .filter((one) => one.itemId === itemId && isUsable(one))
          .reduce((sum, one) => sum + one.available, 0)
        return wholePacks ? got <= Math.min(doses, there) : got === Math.min(doses, there)
      })
    }),
  )
})

test('nothing is taken while something that comes before it is left, and the same is chosen from the same', async () => {
  fc.assert(
    fc.property(candidates, needs, fc.integer(), (all, wanted, seed) => {
      const { choices } = allocate(wanted, all, rules)
      const left = (one: Candidate) =>
        one.available -
        choices.filter(({ candidate }) => candidate === one).reduce((sum, { doses }) => sum + doses, 0)
      const isInOrder = choices.every(({ candidate }) =>
        all.every(
          (other) =>
            other.itemId !== candidate.itemId ||
            !isUsable(other) ||
            !comesBefore(other, candidate) ||
            left(other) === 0,
        ),
      )
      const shuffled = all.toSorted((a, b) => hash(a, seed) - hash(b, seed))
      const again = allocate(wanted.toReversed(), shuffled, rules).choices
      return isInOrder && JSON.stringify(again) === JSON.stringify(choices)
    }),
  )
})

function hash(one: Candidate, seed: number): number {
  return [...JSON.stringify(one)].reduce(
    (sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521,
    seed % 1000,
  )
}
