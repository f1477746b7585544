import { test } from 'tap'
import type { Breach } from '../../domain/breach.ts'
import { CLOSE_REASONS, stateAfter, type CloseReason } from '../../domain/closing.ts'
import { kindsOf, type RecordedBreach } from '../../domain/judgement.ts'
import { onCallAt } from '../../domain/on-call.ts'
import { nextWorkingMoment } from '../../domain/working-hours.ts'

const HOUR_MS = 3_600_000
const CLOSED_AT = 100 * HOUR_MS
const breach = (lastAt: number, endAt: number | null = null): Breach => ({
  startAt: 10 * HOUR_MS,
  endAt,
  peak: 12,
  peakAt: 20 * HOUR_MS,
  lastAt,
  readings: 5,
})
const closed = (closeReason: CloseReason, state: RecordedBreach['state'] = 'closed'): RecordedBreach => ({
  ...breach(90 * HOUR_MS),
  id: 'b',
  state,
  closedAt: CLOSED_AT,
  closeReason,
})

test('a closed breach and late readings', async (t) => {
  for (const reason of CLOSE_REASONS) {
    const row = closed(reason)
    const kinds = (found: Breach | undefined) => kindsOf({ row, breach: found })
    t.same(kinds(row), [], `${reason}: nothing new`)
    t.same(
      kinds(breach(95 * HOUR_MS)),
      ['extended'],
      `${reason}: a little more of it, all before the closing`,
    )
    t.same(kinds(breach(80 * HOUR_MS)), ['revised'], `${reason}: less of it`)
    t.same(kinds(breach(80 * HOUR_MS, 81 * HOUR_MS)), ['revised'], `${reason}: it was over`)
    t.equal(stateAfter(row, breach(CLOSED_AT)), 'closed', `${reason}: a reading of the moment of closing`)
    t.same(kinds(undefined), ['withdrawn'], `${reason}: it never was`)
    const isRefuted = reason === 'sensor-lost' || reason === 'reviewed'
    const later = breach(CLOSED_AT + 1)
    t.equal(
      stateAfter(row, later),
      isRefuted ? 'open' : 'closed',
      `${reason}: out of range after the closing`,
    )
    t.same(kinds(later), [isRefuted ? 'reopened' : 'extended'])
    const over = breach(CLOSED_AT + 1, CLOSED_AT + 2)
    t.same(kinds(over), isRefuted ? ['reopened', 'ended'] : ['revised'])
    const back = kindsOf({ row: closed(reason, 'withdrawn'), breach: breach(90 * HOUR_MS) })
    t.same(back, ['reopened'], `${reason}: withdrawn, and back`)
    t.equal(stateAfter(closed(reason, 'withdrawn'), breach(90 * HOUR_MS)), 'closed', 'as what it was: closed')
  }
})

test('on call: turns of weeks, handed over at a time of day, whatever the clocks do', async (t) => {
  const rota = { startsOn: '2026-03-01', handoverAt: '08:00', weeks: 1, userIds: ['a', 'b', 'c'] }
  const at = (iso: string, timeZone = 'Europe/Paris') => onCallAt(rota, [], timeZone, Date.parse(iso))[0]
  t.equal(at('2026-03-01T06:59:59Z'), undefined, 'before it begins')
  t.equal(at('2026-03-01T07:00:00Z'), 'a')
  t.equal(at('2026-03-08T06:59:59Z'), 'a')
  t.equal(at('2026-03-08T07:00:00Z'), 'b')
  t.equal(at('2026-03-22T07:00:00Z'), 'a')
  // Sunday, 29 March: clocks have gone forward, so that eight in the morning is an hour earlier.
  t.equal(at('2026-03-29T05:59:59Z'), 'a')
  t.equal(at('2026-03-29T06:00:00Z'), 'b')
  // Sunday, 25 October: and back.
  t.equal(at('2026-10-25T06:59:59Z'), at('2026-10-24T12:00:00Z'))
  t.not(at('2026-10-25T07:00:00Z'), at('2026-10-24T12:00:00Z'))
  t.equal(
    at('2026-03-08T11:59:59Z', 'America/New_York'),
    'a',
    'eight in the morning, an hour after the change there',
  )
  t.equal(at('2026-03-08T12:00:00Z', 'America/New_York'), 'b')
  // A hand-over at a time that does not exist that day is as much later; one that comes twice, the first time.
  const night = { ...rota, startsOn: '2026-03-22', handoverAt: '02:30' }
  const paris = (iso: string) => onCallAt(night, [], 'Europe/Paris', Date.parse(iso))[0]
  t.same([paris('2026-03-29T01:29:59Z'), paris('2026-03-29T01:30:00Z')], ['a', 'b'])
  const autumn = { ...night, startsOn: '2026-10-18' }
  const october = (iso: string) => onCallAt(autumn, [], 'Europe/Paris', Date.parse(iso))[0]
  t.same([october('2026-10-25T00:29:59Z'), october('2026-10-25T00:30:00Z')], ['a', 'b'])
  t.same([october('2026-10-25T01:00:00Z'), october('2026-10-25T01:30:00Z')], ['b', 'b'], 'and not back again')
})

test('on call: shifts go before the rota, `to` is exclusive, two at once are both', async (t) => {
  const rota = { startsOn: '2026-03-01', handoverAt: '08:00', weeks: 2, userIds: ['a'] }
  const shifts = [
    { userId: 'x', from: CLOSED_AT, to: CLOSED_AT + 10 },
    { userId: 'y', from: CLOSED_AT + 5, to: CLOSED_AT + 20 },
  ]
  const who = (offset: number) => onCallAt(rota, shifts, 'UTC', CLOSED_AT + offset)
  t.same([who(0), who(5), who(10), who(20)], [['x'], ['x', 'y'], ['y'], []])
  t.same(onCallAt(rota, shifts, 'UTC', Date.UTC(2026, 2, 20)), ['a'])
  t.same(onCallAt(null, [], 'UTC', CLOSED_AT), [])
})

test('working hours: now, later today, the next day that is one; eight is eight after the clocks have changed', async (t) => {
  const hours = { days: [1, 2, 3, 4, 5], from: '08:00', to: '16:00' }
  const next = (iso: string, timeZone = 'Europe/Paris') =>
    new Date(nextWorkingMoment(hours, timeZone, Date.parse(iso))).toISOString()
  t.equal(next('2026-03-13T07:00:00Z'), '2026-03-13T07:00:00.000Z', 'the first moment')
  t.equal(next('2026-03-13T14:59:59Z'), '2026-03-13T14:59:59.000Z', 'the last one')
  t.equal(next('2026-03-13T15:00:00Z'), '2026-03-16T07:00:00.000Z', 'Friday, four o’clock')
  t.equal(next('2026-03-27T15:00:00Z'), '2026-03-30T06:00:00.000Z', 'a weekend on which clocks go forward')
  t.equal(next('2026-10-23T14:00:00Z'), '2026-10-26T07:00:00.000Z', 'and back')
  t.equal(next('2026-03-06T21:00:00Z', 'America/New_York'), '2026-03-09T12:00:00.000Z')
  t.equal(
    next('2026-03-13T03:00:00Z', 'Asia/Jakarta'),
    '2026-03-13T03:00:00.000Z',
    'ten in the morning there',
  )
  const sunday = { ...hours, days: [7] }
  t.equal(
    new Date(nextWorkingMoment(sunday, 'UTC', Date.UTC(2026, 2, 15, 16))).toISOString(),
    '2026-03-22T08:00:00.000Z',
  )
})
