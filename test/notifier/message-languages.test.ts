import { test } from 'tap'
import type { BreachFacts } from '../../db/queries/notification.ts'
import { NOT_CLOSED } from '../../db/queries/breach.ts'
import { LANGUAGES } from '../../domain/language.ts'
import { english } from '../../notifier/message-en.ts'
import { french } from '../../notifier/message-fr.ts'
import { indonesian } from '../../notifier/message-id.ts'
import { durationText } from '../../notifier/message-text.ts'
import { writeMessage, writeTestMessage, type Step } from '../../notifier/message.ts'
import { fitSms } from '../../notifier/sms.ts'
import { TOPICS, topicOf, type Topic } from '../../notifier/topic.ts'
import { high } from './message-facts.ts'

const STEPS: readonly Step[] = ['opened', 'reminder', 'recovered', 'corrected', 'withdrawn', 'closed']

/** A breach of each topic, by the rule that makes it. */
function factsOf(topic: Topic, state: 'open' | 'ended'): BreachFacts {
  const [quantity, comparator, measure] = RULES[topic]
  const rule = high.rule && ({ ...high.rule, quantity, comparator, measure } as BreachFacts['rule'])
  const endAt = state === 'ended' ? high.breach.startAt + 3_600_000 : null
  const breach = { ...high.breach, ...NOT_CLOSED, state, endAt, ruleId: 'some-rule' }
  return { ...high, breach, rule: topic === 'outOfRange' ? null : rule }
}

const RULES: Readonly<Record<Topic, readonly [string, 'gt' | 'lt', string?]>> = {
  tooWarm: ['temperature', 'gt'],
  tooCold: ['temperature', 'lt'],
  tooHigh: ['humidity', 'gt'],
  tooLow: ['humidity', 'lt'],
  outOfRange: ['', 'gt'],
  powerOut: ['powerOn', 'lt'],
  doorOpen: ['doorOpenSeconds', 'gt'],
  batteryLow: ['battery', 'lt'],
  silent: ['silence', 'gt'],
  siteOutage: ['site-outage', 'gt'],
  clockWrong: ['clock-wrong', 'gt'],
  calibrationOverdue: ['calibration-overdue', 'gt'],
  sensorUnplugged: ['sensor-unplugged', 'gt'],
  stuck: ['temperature', 'gt', 'stuck'],
  jumping: ['temperature', 'gt', 'jump'],
  changingFast: ['temperature', 'gt', 'ratePerHour'],
}

test('every topic, step and language: whole sentences, an escaped page, one SMS', async (t) => {
  const subjects = new Set<string>()
  for (const language of LANGUAGES)
    for (const topic of TOPICS)
      for (const step of STEPS)
        for (const state of ['open', 'ended'] as const) {
          const facts = factsOf(topic, state)
          t.equal(topicOf(facts), topic)
          const { subject, text, html, short } = writeMessage(
            { facts, step, sequence: 0, now: high.breach.lastAt },
            language,
          )
          const all = `${subject}\n${text}\n${html}\n${short}`
          t.notOk(/undefined|null|NaN|\[object/.test(all), `${language} ${topic} ${step}: ${all}`)
          t.ok(subject.includes('Refrigerator 3') && subject.includes('Puskesmas Cisarua'))
          t.ok(short.length <= 160, `${short.length}: ${short}`)
          t.match(html, new RegExp(`<html lang="${language}`))
          if (step === 'opened') subjects.add(`${language} ${subject}`)
        }
  t.equal(subjects.size, LANGUAGES.length * TOPICS.length * 2, 'each says something of its own')
})

const said = (language: 'en' | 'id' | 'fr') =>
  writeMessage(
    { facts: factsOf('tooWarm', 'open'), step: 'opened', sequence: 0, now: high.breach.lastAt },
    language,
  )

test('what the same alarm says in three languages', async (t) => {
  t.equal(
    said('en').short,
    'Too warm: Refrigerator 3, Puskesmas Cisarua, 11.4 C. Since 14 Mar 02:10. Check door and power.',
  )
  t.equal(said('id').subject, 'Terlalu panas: Refrigerator 3, Puskesmas Cisarua, 11,4 °C')
  t.match(said('id').text, 'Refrigerator 3 di Puskesmas Cisarua terlalu panas sejak 14 Maret 2026')
  t.match(said('id').text, 'Jangan membuang apa pun hanya karena alarm ini')
  t.match(said('fr').subject, /^Température trop élevée : Refrigerator 3, Puskesmas Cisarua, 11,4 °C$/)
  t.match(said('fr').text, /10 heures 5 minutes/)
  t.match(said('fr').text, /test d’agitation|pastilles de contrôle/)
})

test('durations: each language counts in its own way', async (t) => {
  const hour = 3_600_000
  t.same(
    [0, hour / 60, hour, 25 * hour].map((ms) => durationText(french, ms)),
    ['moins d’une minute', '1 minute', '1 heure', '1 jour 1 heure'],
  )
  t.equal(durationText(french, 49 * hour), '2 jours 1 heure')
  t.equal(durationText(indonesian, 49 * hour), '2 hari 1 jam')
  t.equal(durationText(english, 49 * hour), '2 days 1 hour')
})

test('a name of an enemy in a page: no tag, no attribute, no entity of its own', async (t) => {
  const name = `<img src=x onerror="alert('1')">&amp;<script>`
  const facts = { ...high, equipment: { id: 'e', name, kind: 'freezer' as const } }
  for (const language of LANGUAGES) {
    const { html } = writeMessage({ facts, step: 'opened', sequence: 0, now: 0 }, language)
    t.notOk(/<img|<script|onerror="/.test(html))
    t.ok(html.includes('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;&lt;script&gt;'))
  }
})

test('SMS: letters of the GSM alphabet where there are any, one message, cut where nothing else helps', async (t) => {
  t.equal(fitSms(['Température à 8 °C – être prêt…']), 'Température à 8 C - etre pret...')
  t.equal(fitSms(['x'.repeat(161), 'short']), 'short')
  t.equal(fitSms(['x'.repeat(160)]), 'x'.repeat(160))
  t.equal(fitSms(['x'.repeat(161)]), `${'x'.repeat(157)}...`)
  t.equal(fitSms(['[x]'.repeat(32)]), '[x]'.repeat(32), '160 places: brackets take two')
  t.ok(fitSms(['[x]'.repeat(33)]).endsWith('...'))
  t.equal(fitSms(['холод'.repeat(15), 'холодно']), 'холодно', '70 in other alphabets')
  t.equal(fitSms(['ж'.repeat(71)]), `${'ж'.repeat(67)}...`)
})

test('a test message is marked as one, and who closed it why is said', async (t) => {
  for (const language of LANGUAGES) t.match(writeTestMessage(language, 0).subject, /^(TEST|UJI COBA)\b/)
  const closing = {
    closedAt: 1,
    closedBy: 'u',
    closeReason: 'sensor-broken',
    closeComment: 'Cable <cut>',
  } as const
  const facts = { ...high, breach: { ...high.breach, state: 'closed' as const, ...closing } }
  const { text, html } = writeMessage({ facts, step: 'closed', sequence: 0, now: 0 }, 'en')
  t.match(text, /the sensor is broken/)
  t.match(text, /Cable <cut>/)
  t.match(html, /Cable &lt;cut&gt;/)
})
