import { test } from 'tap'
import type { BreachFacts } from '../../db/queries/notification.ts'
import { english } from '../../notifier/message-en.ts'
import { durationText } from '../../notifier/message-text.ts'
import { writeMessage, type Step } from '../../notifier/message.ts'
import { high, START } from './message-facts.ts'

const MINUTE_MS = 60_000

const low: BreachFacts = {
  ...high,
  breach: { ...high.breach, ruleId: 'who-30dtr-low', peak: -2.04 },
  rule: {
    id: 'who-30dtr-low',
    name: 'At or below -0.5 °C for 60 minutes',
    quantity: 'temperature',
    measure: 'value',
    comparator: 'lte',
    threshold: -0.5,
    durationMs: 60 * MINUTE_MS,
  },
}

const over = (facts: BreachFacts): BreachFacts => ({
  ...facts,
  breach: { ...facts.breach, state: 'ended', endAt: START + 661 * MINUTE_MS },
})

const write = (facts: BreachFacts, step: Step, sequence = 0) =>
  writeMessage({ facts, step, sequence, now: START + 14 * 60 * MINUTE_MS })

test('opened, too warm: what, where, how warm, since when, what to do', async (t) => {
  const { subject, text } = write(high, 'opened')
  t.equal(subject, 'Too warm: Refrigerator 3, Puskesmas Cisarua, 11.4 °C')
  t.match(
    text,
    'Refrigerator 3 at Puskesmas Cisarua is too warm, since 14 March 2026, 02:10 (Asia/Jakarta, GMT+7)',
  )
  t.match(text, '10 hours 5 minutes')
  t.match(text, 'Warmest: 11.4 °C, at 14 March 2026, 10:30')
  t.match(text, /door.*power/)
  t.match(text, /move the vaccines to a working refrigerator/)
  t.match(text, /vaccine vial monitors/)
  t.match(text, /Do not discard anything because of this alarm alone/)
  t.notOk(text.includes('shake'), 'the shake test is for freezing')
})

test('opened, too cold: the shake test, and no vial monitors, which do not see freezing', async (t) => {
  const { subject, text } = write(low, 'opened')
  t.equal(subject, 'Too cold: Refrigerator 3, Puskesmas Cisarua, -2.0 °C')
  t.match(text, /Do not use freeze-sensitive vaccines from this refrigerator before a shake test/)
  t.match(text, 'Coldest: -2.0 °C')
  t.match(text, /Do not discard anything because of this alarm alone/)
  t.notOk(text.includes('VVM'))
})

test('opened, but over already: one message that says both', async (t) => {
  const { subject, text } = write(over(high), 'opened')
  t.equal(subject, 'Was too warm, over now: Refrigerator 3, Puskesmas Cisarua, 11.4 °C')
  t.match(
    text,
    /was too warm from 14 March 2026, 02:10 .* to 14 March 2026, 13:11 .*, for 11 hours 1 minute\./,
  )
  t.match(text, /over already/)
  t.match(text, /read their vaccine vial monitors/)
})

test('opened again, reminder, recovered, withdrawn', async (t) => {
  t.match(write(high, 'opened', 1).subject, /^Too warm again: /)
  const reminder = write(high, 'reminder')
  t.match(reminder.subject, /^Still too warm: /)
  t.match(reminder.text, 'It began 14 hours ago')
  t.match(reminder.text, /nobody has acknowledged it/)
  const recovered = write(over(low), 'recovered')
  t.equal(recovered.subject, 'Back in range: Refrigerator 3, Puskesmas Cisarua')
  t.match(recovered.text, /back in range since 14 March 2026, 13:11/)
  t.match(recovered.text, /shake test/)
  const corrected = write(over(high), 'corrected')
  t.equal(corrected.subject, 'Was too warm for 11 hours 1 minute: Refrigerator 3, Puskesmas Cisarua')
  t.match(corrected.text, /another end than you were told/)
  const withdrawn = write({ ...high, breach: { ...high.breach, state: 'withdrawn' } }, 'withdrawn')
  t.match(withdrawn.subject, /^Alarm withdrawn: /)
  t.match(withdrawn.text, /nothing to do/)
})

test('durations: two units, plurals right', async (t) => {
  const cases: [number, string][] = [
    [0, 'less than a minute'],
    [1, '1 minute'],
    [59, '59 minutes'],
    [60, '1 hour'],
    [61, '1 hour 1 minute'],
    [125, '2 hours 5 minutes'],
    [1440, '1 day'],
    [1445, '1 day'],
    [2 * 1440 + 60, '2 days 1 hour'],
  ]
  for (const [minutes, text] of cases) t.equal(durationText(english, minutes * MINUTE_MS), text)
})

test('the data is for machines: numbers, ids, RFC 3339', async (t) => {
  t.same(write(over(high), 'recovered').data, {
    breachId: 'b1',
    step: 'recovered',
    sequence: 0,
    state: 'ended',
    severity: 'critical',
    device: { id: 'd1', name: 'Logger 17' },
    outageId: null,
    cause: null,
    sensor: 'main',
    equipment: { id: 'e1', name: 'Refrigerator 3', kind: 'refrigerator' },
    facility: { id: 'f1', name: 'Puskesmas Cisarua', timeZone: 'Asia/Jakarta' },
    rule: {
      id: 'who-30dtr-high',
      name: 'Above +8.0 °C for 10 hours',
      quantity: 'temperature',
      measure: 'value',
      comparator: 'gt',
      threshold: 8,
      durationMinutes: 600,
    },
    unit: 'Cel',
    startAt: '2026-03-13T19:10:00.000Z',
    endAt: '2026-03-14T06:11:00.000Z',
    lastAt: '2026-03-14T05:15:00.000Z',
    peak: 11.44,
    peakAt: '2026-03-14T03:30:00.000Z',
    durationMinutes: 661,
  })
  t.equal(write(high, 'opened').data['durationMinutes'], 605, 'while open: as far as readings prove it')
})

test('a device in no refrigerator, a rule that was deleted, a zone that does not exist', async (t) => {
  const bare: BreachFacts = { ...high, equipment: null, facility: null, rule: null }
  const { subject, text, data } = write(bare, 'opened')
  t.equal(subject, 'Out of range: Logger 17, 11.4')
  t.match(text, '13 March 2026, 19:10 (UTC)')
  t.match(data, { equipment: null, facility: null, rule: { id: 'who-30dtr-high' } })
  const nowhere = { ...high, facility: { id: 'f', name: 'X', timeZone: 'Mars/Olympus', path: 'f/' } }
  t.match(write(nowhere, 'opened').text, '(UTC)')
  t.match(
    write({ ...low, breach: { ...low.breach, peak: -0.04 } }, 'opened').subject,
    /, 0\.0 °C$/,
    'no minus zero',
  )
})

test('a name of an enemy: no line, no control, no reversed text, no length without end', async (t) => {
  const name = `X\r\nBcc: evil@example.org\u202Egnp\u2028\u0000${'y'.repeat(5_000)}\ud800`
  const { subject, text } = write({ ...high, equipment: { id: 'e', name, kind: 'freezer' } }, 'opened')
  t.notOk(/[\p{Cc}\u2028\u2029\u202A-\u202E]/u.test(subject))
  t.ok(subject.length < 300 && subject.isWellFormed())
  t.notOk(/^Bcc/m.test(text))
})

test('an outage of many names the first of them, and how many more', async (t) => {
  const breach = { ...high.breach, ruleId: 'site-outage', deviceId: null }
  const members = Array.from({ length: 33 }, (_, index) => `Fridge ${index + 1}`)
  const { text } = write({ ...high, breach, rule: null, members }, 'opened')
  t.match(text, 'Fridge 30; + 3.')
  t.notMatch(text, 'Fridge 31')
})
