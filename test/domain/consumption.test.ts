import { test } from 'tap'
import { coverageDays, dosesAtRisk, needOfUse, perDay, shareOf } from '../../domain/consumption.ts'
import { leadTimeOf } from '../../domain/lead-time.ts'

const lot = (expiresOn: string, doses: number) => ({ expiresOn, doses })
const order = (days: number) => ({ submittedAt: 0, receivedAt: days * 86_400_000 })

test('rates and means', async (t) => {
  t.equal(shareOf(3, 20), 0.15)
  t.equal(shareOf(1, 3), 0.3333)
  t.equal(shareOf(0, 0), null, 'nothing to have a share of')
  t.equal(shareOf(-5, 100), -0.05)
  t.equal(perDay(90, 30), 3)
  t.equal(perDay(-10, 30), 0, 'more was reversed than used')
  t.equal(coverageDays(100, 3), 33.3)
  t.equal(coverageDays(0, 3), 0)
  t.equal(coverageDays(100, 0), null, 'it lasts for ever')
})

test('doses at risk of expiry', async (t) => {
  for (const [what, lots, daily, expected] of [
    ['used in time', [lot('2024-03-20', 100)], 10, [0]],
    ['its last day counts', [lot('2024-03-10', 15)], 10, [5]],
    ['expired yesterday', [lot('2024-03-09', 15)], 10, [15]],
    ['nothing is used', [lot('2030-01-01', 15)], 0, [15]],
    [
      'the first to expire takes the days of the next',
      [lot('2024-03-14', 50), lot('2024-03-19', 80)],
      10,
      [0, 30],
    ],
    [
      'what the first could not use is not taken from the next',
      [lot('2024-03-10', 100), lot('2024-03-19', 90)],
      10,
      [90, 0],
    ],
    ['part of a dose is none', [lot('2024-03-12', 5)], 0.5, [4]],
    ['0.1 a day for 30 days is 3', [lot('2024-04-08', 3)], 0.1, [0]],
  ] as const)
    t.same(dosesAtRisk(lots, daily, '2024-03-10'), expected, what)
})

test('need', async (t) => {
  t.equal(needOfUse(0.1, 30), 3, 'whatever binary fractions say')
  t.equal(needOfUse(10 / 3, 31), 104)
})

test('lead times', async (t) => {
  t.same(leadTimeOf([order(2)]), { mean: 2, median: 2, longest: 2 })
  t.same(leadTimeOf([order(9), order(1), order(2)]), { mean: 4, median: 2, longest: 9 })
  t.same(leadTimeOf([order(4), order(1), order(2), order(1)]), { mean: 2, median: 1.5, longest: 4 })
})
