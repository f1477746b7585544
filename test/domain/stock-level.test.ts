import { test } from 'tap'
import { checkDigit, hasCheckDigit } from '../../domain/gs1-check-digit.ts'
import { complainOfLot, isCalendarDate, toGtin14 } from '../../domain/reference.ts'
import { computeMinMax, consumptionPerDay, isUsable, levelStatus, needOf } from '../../domain/stock-level.ts'

const DAY_MS = 86_400_000
const now = Date.UTC(2026, 6, 1)
const perDay = (doses: number, days: number | null) =>
  consumptionPerDay({ doses, sinceMs: days === null ? null : now - days * DAY_MS }, now)

test('consumption per day is over the days of which there is a record', async (t) => {
  t.equal(perDay(900, 400), 10, 'at most 90 days')
  t.equal(perDay(300, 30), 10)
  t.equal(perDay(70, 1), 10, 'at least a week')
  t.equal(perDay(0, 400), 0)
  t.equal(perDay(-50, 400), 0, 'more reversed than consumed')
  t.equal(perDay(0, null), 0)
})

test('min covers the lead time and the reserve, max the time between orders too', async (t) => {
  const cadence = { leadTimeDays: 14, reviewDays: 30, safetyDays: 7 }
  t.same(computeMinMax(10, cadence), { minDoses: 210, maxDoses: 510 })
  t.same(computeMinMax(0.1, { leadTimeDays: 20, reviewDays: 10, safetyDays: 10 }), {
    minDoses: 3,
    maxDoses: 4,
  })
  t.same(
    computeMinMax(0.101, { leadTimeDays: 30, reviewDays: 0, safetyDays: 0 }),
    { minDoses: 4, maxDoses: 4 },
    'whole doses, up',
  )
  t.same(computeMinMax(0, cadence), { minDoses: 0, maxDoses: 0 })
})

test('need is target population x doses x coverage x wastage factor', async (t) => {
  t.equal(needOf({ population: 1000, dosesPerPerson: 3, coverage: 0.9, wastageRate: 0.1 }), 3000)
  t.equal(needOf({ population: 1000, dosesPerPerson: 1, coverage: 0.95, wastageRate: 0.5 }), 1900)
  t.equal(needOf({ population: 7, dosesPerPerson: 1, coverage: 0.9, wastageRate: 0 }), 7, 'whole doses, up')
  t.equal(needOf({ population: 0, dosesPerPerson: 3, coverage: 1, wastageRate: 0.1 }), 0)
})

test('the status is that of the usable stock', async (t) => {
  const level = { minDoses: 50, maxDoses: 200 }
  t.same(
    [0, 1, 49, 50, 200, 201].map((doses) => levelStatus(doses, level)),
    ['stock-out', 'below-min', 'below-min', 'ok', 'ok', 'above-max'],
  )
  t.equal(levelStatus(0, { minDoses: 0, maxDoses: 0 }), 'ok')
  t.equal(levelStatus(1, { minDoses: 0, maxDoses: 0 }), 'above-max')
  const line = { doses: 5, held: false, vvmStage: 2, expiresOn: '2026-07-01', isRecalled: false } as const
  t.ok(isUsable(line, '2026-07-01'), 'on the day itself')
  for (const change of [
    { held: true },
    { vvmStage: 3 },
    { expiresOn: '2026-06-30' },
    { isRecalled: true },
  ] as const)
    t.notOk(isUsable({ ...line, ...change }, '2026-07-01'), JSON.stringify(change))
})

// gs1-syntax-dictionary: 0401234567890 -> 1, GLN 401234500000 -> 9, SSCC 34012345123456789 -> 5.
test('GS1 check digits', async (t) => {
  t.equal(checkDigit('0401234567890'), 1)
  t.equal(checkDigit('401234500000'), 9)
  t.equal(checkDigit('34012345123456789'), 5)
  t.ok(hasCheckDigit('04012345678901'))
  t.notOk(hasCheckDigit('04012345678910'), 'two digits changed places')
  t.notOk(hasCheckDigit(''))
  t.equal(toGtin14('4012345678901'), '04012345678901')
  t.equal(toGtin14('96385074'), '00000096385074', 'GTIN-8')
  for (const text of ['4012345678902', '40123456789', '0401234567890x', '٤٠١٢٣٤٥٦٧٨٩٠١', ''])
    t.equal(toGtin14(text), undefined, text)
})

const lot = (manufacturedOn: string | null) =>
  complainOfLot({ expiresOn: '2028-01-01', manufacturedOn })?.field

test('lots have dates of the calendar', async (t) => {
  for (const date of ['2028-02-29', '2026-12-31', '2000-02-29']) t.ok(isCalendarDate(date), date)
  for (const date of [
    '2027-02-29',
    '2026-00-10',
    '2026-13-01',
    '2026-04-31',
    '2026-01-00',
    '1999-01-01',
    '2026-1-1',
    '',
  ])
    t.notOk(isCalendarDate(date), date)
  t.same(['2028-01-01', '2028-01-02', null].map(lot), [undefined, 'manufacturedOn', undefined])
})
