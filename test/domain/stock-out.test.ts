import { test } from 'tap'
import { periodsOf } from '../../domain/calendar.ts'
import { judgeDays, type StockHistory } from '../../domain/stock-out.ts'

const NOW_MS = Date.parse('2024-12-01T00:00:00Z')

interface Case {
  readonly what: string
  readonly timeZone?: string
  readonly from: string
  readonly to: string
  readonly opening?: number
  readonly wasKept?: boolean
  readonly changes: readonly (readonly [string, number])[]
  readonly nowMs?: number
  readonly out: readonly string[]
  readonly kept: number
}

function judge({
  timeZone = 'Asia/Jakarta',
  from,
  to,
  opening = 0,
  wasKept = opening > 0,
  changes,
  nowMs,
}: Case) {
  const history: StockHistory = {
    opening,
    wasKept,
    changes: changes.map(([time, doses]) => ({ occurredAt: Date.parse(time), doses })),
  }
  return judgeDays(history, periodsOf(timeZone, { from, to }, 'day'), nowMs ?? NOW_MS)
}

const CASES: readonly Case[] = [
  {
    what: 'used up in the last millisecond of a day: that day is out; received in the first of another: that one is not',
    from: '2024-03-09',
    to: '2024-03-14',
    opening: 50,
    changes: [
      ['2024-03-10T16:59:59.999Z', -50],
      ['2024-03-12T17:00:00.000Z', 20],
    ],
    out: ['2024-03-10', '2024-03-11', '2024-03-12'],
    kept: 6,
  },
  {
    what: 'used up in the first millisecond of a day: the day before is not out',
    from: '2024-03-09',
    to: '2024-03-11',
    opening: 50,
    changes: [['2024-03-10T17:00:00.000Z', -50]],
    out: ['2024-03-11'],
    kept: 3,
  },
  {
    what: 'empty at noon and filled in the evening is not out',
    from: '2024-03-10',
    to: '2024-03-10',
    opening: 5,
    changes: [
      ['2024-03-10T05:00:00Z', -5],
      ['2024-03-10T12:00:00Z', 9],
    ],
    out: [],
    kept: 1,
  },
  {
    what: 'came and went within a day is out',
    from: '2024-03-10',
    to: '2024-03-10',
    wasKept: true,
    changes: [
      ['2024-03-10T05:00:00Z', 5],
      ['2024-03-10T12:00:00Z', -5],
    ],
    out: ['2024-03-10'],
    kept: 1,
  },
  {
    what: 'the day of 23 hours ends an hour early',
    timeZone: 'America/New_York',
    from: '2024-03-10',
    to: '2024-03-11',
    opening: 5,
    changes: [['2024-03-11T03:59:59.999Z', -5]],
    out: ['2024-03-10', '2024-03-11'],
    kept: 2,
  },
  {
    what: 'the hour that a day of 23 hours has not belongs to the next',
    timeZone: 'America/New_York',
    from: '2024-03-10',
    to: '2024-03-11',
    opening: 5,
    changes: [['2024-03-11T04:00:00.000Z', -5]],
    out: ['2024-03-11'],
    kept: 2,
  },
  {
    what: 'the day of 25 hours ends an hour late',
    timeZone: 'America/New_York',
    from: '2024-11-03',
    to: '2024-11-04',
    opening: 5,
    changes: [['2024-11-04T04:59:59.999Z', -5]],
    out: ['2024-11-03', '2024-11-04'],
    kept: 2,
  },
  {
    what: 'a late event stands where it happened, in whatever order it came',
    from: '2024-03-10',
    to: '2024-03-13',
    opening: 5,
    changes: [
      ['2024-03-10T05:00:00Z', -5],
      ['2024-03-13T05:00:00Z', 7],
      ['2024-03-11T05:00:00Z', 3],
      ['2024-03-12T05:00:00Z', -3],
    ],
    out: ['2024-03-10', '2024-03-12'],
    kept: 4,
  },
  {
    what: 'what was reversed never happened: both entries stand at its time',
    from: '2024-03-10',
    to: '2024-03-12',
    opening: 5,
    changes: [
      ['2024-03-10T05:00:00Z', -5],
      ['2024-03-10T05:00:00Z', 5],
    ],
    out: [],
    kept: 3,
  },
  {
    what: 'a facility is not out of what it does not keep yet',
    from: '2024-03-10',
    to: '2024-03-13',
    changes: [
      ['2024-03-12T05:00:00Z', 5],
      ['2024-03-13T05:00:00Z', -5],
    ],
    out: ['2024-03-13'],
    kept: 2,
  },
  {
    what: 'out from before: every day',
    from: '2024-03-10',
    to: '2024-03-12',
    wasKept: true,
    changes: [],
    out: ['2024-03-10', '2024-03-11', '2024-03-12'],
    kept: 3,
  },
  {
    what: 'a day that is not over is not judged',
    from: '2024-03-10',
    to: '2024-03-12',
    wasKept: true,
    changes: [],
    nowMs: Date.parse('2024-03-11T17:00:00Z') - 1,
    out: ['2024-03-10'],
    kept: 1,
  },
  {
    what: 'a date that the date line swallowed has no stock-out',
    timeZone: 'Pacific/Apia',
    from: '2011-12-29',
    to: '2011-12-31',
    wasKept: true,
    changes: [],
    out: ['2011-12-29', '2011-12-31'],
    kept: 2,
  },
]

test('stock-out days', async (suite) => {
  for (const one of CASES)
    await suite.test(one.what, async (t) => {
      const days = judge(one)
      t.same(
        days.filter(({ isOut }) => isOut).map(({ day }) => day.name),
        one.out,
      )
      t.equal(days.length, one.kept, 'days kept')
    })
})
