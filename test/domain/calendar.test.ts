import { test } from 'tap'
import { dayIn, daysBetween, isDate, periodAt, periodsOf, startOfDay } from '../../domain/calendar.ts'

const HOUR_MS = 3_600_000

test('a day begins when the clocks of its place say so', async (t) => {
  for (const [timeZone, day, expected] of [
    ['Asia/Jakarta', '2024-03-10', '2024-03-09T17:00:00.000Z'],
    ['America/New_York', '2024-03-10', '2024-03-10T05:00:00.000Z'],
    ['America/New_York', '2024-03-11', '2024-03-11T04:00:00.000Z'],
    ['America/New_York', '2024-11-04', '2024-11-04T05:00:00.000Z'],
    // There was no midnight: the clocks went from 23:59 to 01:00.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
    ['Asia/Kathmandu', '2024-01-01', '2023-12-31T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2024-01-01', '2023-12-31T10:00:00.000Z'],
    ['Pacific/Niue', '2024-01-01', '2024-01-01T11:00:00.000Z'],
  ] as const) {
    const startMs = startOfDay(timeZone, day)
    t.equal(new Date(startMs).toISOString(), expected, `${timeZone} ${day}`)
    t.equal(dayIn(timeZone, startMs), day)
    t.ok(dayIn(timeZone, startMs - 1) < day)
  }
})

const hours = (timeZone: string, day: string) =>
  periodsOf(timeZone, { from: day, to: day }, 'day').map(({ startMs, endMs }) => (endMs - startMs) / HOUR_MS)

test('days are as long as they are', async (t) => {
  t.same(hours('America/New_York', '2024-03-10'), [23])
  t.same(hours('America/New_York', '2024-11-03'), [25])
  t.same(hours('Asia/Jakarta', '2024-03-10'), [24])
  t.same(hours('Pacific/Apia', '2011-12-30'), [0], 'Samoa never had that day')
})

test('a range is divided into days, months, or not at all', async (t) => {
  const range = { from: '2024-01-30', to: '2024-03-01' }
  const names = (by?: 'day' | 'month') =>
    periodsOf('Asia/Jakarta', range, by).map(({ name, days }) => `${name} ${days}`)
  t.same(names(), ['2024-01-30/2024-03-01 32'])
  t.same(names('month'), ['2024-01 2', '2024-02 29', '2024-03 1'])
  t.equal(names('day').length, 32)
  const months = periodsOf('Asia/Jakarta', range, 'month')
  t.equal(months[0]?.endMs, months[1]?.startMs, 'one begins where the other ends')
  for (const [time, expected] of [
    ['2024-01-29T16:59:59.999Z', undefined],
    ['2024-01-29T17:00:00.000Z', '2024-01'],
    ['2024-01-31T16:59:59.999Z', '2024-01'],
    ['2024-01-31T17:00:00.000Z', '2024-02'],
    ['2024-03-01T16:59:59.999Z', '2024-03'],
    ['2024-03-01T17:00:00.000Z', undefined],
  ] as const)
    t.equal(periodAt(months, Date.parse(time))?.name, expected, time)
})

test('dates', async (t) => {
  t.equal(daysBetween('2024-02-28', '2024-03-01'), 2)
  for (const [text, expected] of [
    ['2024-02-29', true],
    ['2023-02-29', false],
    ['2024-13-01', false],
    ['2024-1-1', false],
    ['', false],
  ] as const)
    t.equal(isDate(text), expected, text)
})
