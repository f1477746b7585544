import { QUANTITIES, type Quantity } from '../domain/reading.ts'
import type { CloseReason } from '../domain/closing.ts'
import type { Language } from '../domain/language.ts'
import type { EquipmentKind } from '../domain/role.ts'
import type { BreachFacts } from '../db/queries/notification.ts'
import type { NotificationTable } from '../db/schema.ts'
import { ALL_SENSORS } from '../domain/watch-rule.ts'
import { english } from './message-en.ts'
import { french } from './message-fr.ts'
import { indonesian } from './message-id.ts'
import {
  blocksOf,
  durationText,
  htmlText,
  plainText,
  shortText,
  subjectText,
  type Phrases,
} from './message-text.ts'
import { topicOf, type Topic } from './topic.ts'

export type Step = NotificationTable['step']

export interface MessageInput {
  readonly facts: BreachFacts
  readonly step: Step
  readonly sequence: number
  /** When it is said, epoch milliseconds. */
  readonly now: number
}

/** What a message says, every part of it as people read it. A language makes sentences of it. */
export interface Content {
  readonly step: Step
  readonly topic: Topic
  /** Recovered and broken the rule again. */
  readonly isAgain: boolean
  /** Whether it was over before anybody was told. */
  readonly isOver: boolean
  readonly kind: EquipmentKind | undefined
  /** The refrigerator, or the device if it stands in none. */
  readonly thing: string
  /** The facility; undefined when it is not known. */
  readonly place: string | undefined
  readonly device: string
  readonly sensor: string
  readonly ruleName: string
  readonly peak: string
  readonly peakAt: string
  readonly startAt: string
  /** `14 Mar 02:10`, for an SMS. */
  readonly shortStartAt: string
  readonly endAt: string | undefined
  /** Time of the last reading out of range. */
  readonly lastAt: string
  /** From the first reading out of range to the end, or as far as readings go. */
  readonly duration: string
  /** From the first reading out of range until now. */
  readonly sinceStart: string
  readonly breachId: string
  /** What the data say of why; undefined when nothing. */
  readonly cause: string | undefined
  /** Of an outage: what is cut off. */
  readonly members: readonly string[]
  readonly closeReason: CloseReason | undefined
  readonly closeComment: string | undefined
}

export interface Message {
  readonly subject: string
  readonly text: string
  readonly html: string
  /** One SMS. */
  readonly short: string
  readonly data: Readonly<Record<string, unknown>>
}

const PHRASES: Readonly<Record<Language, Phrases>> = { en: english, id: indonesian, fr: french }

const COMMENT_LENGTH_MAX = 300
const MEMBERS_NAMED_MAX = 30
const NAME_LENGTH_MAX = 100
const MINUTE_MS = 60_000

/** Control characters, line separators, and the marks that turn the direction of text around: no name may forge a line. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu

/** The message of one notification: for people in plain words, for machines as data. Times are those of the facility, with the zone. */
export function writeMessage(input: MessageInput, language: Language = 'en'): Message {
  const phrases = PHRASES[language]
  const content = describe(input, phrases)
  const subject = subjectText(phrases, content)
  const blocks = blocksOf(phrases, content)
  return {
    subject,
    text: plainText(blocks),
    html: htmlText(phrases.locale, subject, blocks),
    short: shortText(phrases, content),
    data: dataOf(input),
  }
}

/** A message about nothing, by which people see that alarms reach them. */
export function writeTestMessage(language: Language = 'en', now: number): Message {
  const { test, locale } = PHRASES[language]
  const data = { step: 'test', at: rfc3339(now) }
  return { ...test, html: htmlText(locale, test.subject, [test.text]), short: test.subject, data }
}

function describe({ facts, step, sequence, now }: MessageInput, phrases: Phrases): Content {
  const { breach, equipment, facility, rule } = facts
  const zone = facility?.timeZone ?? 'UTC'
  const time = (at: number) => formatTime(at, zone, phrases.locale)
  return {
    step,
    topic: topicOf(facts),
    isAgain: step === 'opened' && sequence > 0,
    isOver: breach.state !== 'open',
    kind: equipment?.kind,
    ...whereabouts(facts),
    sensor: breach.sensor === ALL_SENSORS ? '' : safe(breach.sensor),
    ruleName: safe(rule?.name ?? breach.ruleId),
    peak: formatValue(breach.peak, unitOf(facts), phrases.locale),
    peakAt: time(breach.peakAt),
    startAt: time(breach.startAt),
    shortStartAt: formatShort(breach.startAt, zone, phrases.locale),
    endAt: breach.endAt === null ? undefined : time(breach.endAt),
    lastAt: time(breach.lastAt),
    duration: durationText(phrases, durationOf(facts)),
    sinceStart: durationText(phrases, Math.max(now - breach.startAt, durationOf(facts))),
    breachId: breach.id,
    members: named(facts.members),
    ...explain(breach),
  }
}

function whereabouts({ breach, deviceName, equipment, facility }: BreachFacts) {
  const device = safe(deviceName)
  const place = facility ? safe(facility.name) : undefined
  // What is wrong with a whole place is said of the place itself.
  if (breach.deviceId === null && place !== undefined) return { device, thing: place, place: undefined }
  return { device, thing: equipment ? safe(equipment.name) : device, place }
}

/** The first of many, and how many more: a mail with hundreds of names is not read. */
function named(members: readonly string[]): string[] {
  const more = members.length - MEMBERS_NAMED_MAX
  const names = members.slice(0, MEMBERS_NAMED_MAX).map((name) => safe(name))
  return more > 0 ? [...names, `+ ${more}`] : names
}

function explain({ cause, closeReason, closeComment }: BreachFacts['breach']) {
  return {
    cause: cause ?? undefined,
    closeReason: closeReason ?? undefined,
    closeComment: closeComment === null ? undefined : safe(closeComment, COMMENT_LENGTH_MAX),
  }
}

function dataOf({ facts, step, sequence }: MessageInput): Record<string, unknown> {
  const { breach, equipment, facility, rule } = facts
  return {
    breachId: breach.id,
    step,
    sequence,
    state: breach.state,
    severity: breach.severity,
    device: breach.deviceId === null ? null : { id: breach.deviceId, name: facts.deviceName },
    outageId: breach.outageId,
    cause: breach.cause,
    sensor: breach.sensor,
    equipment: equipment && { id: equipment.id, name: equipment.name, kind: equipment.kind },
    facility: facility && { id: facility.id, name: facility.name, timeZone: facility.timeZone },
    rule: rule
      ? {
          id: rule.id,
          name: rule.name,
          quantity: rule.quantity,
          measure: rule.measure,
          comparator: rule.comparator,
          threshold: rule.threshold,
          durationMinutes: Math.floor(rule.durationMs / MINUTE_MS),
        }
      : { id: breach.ruleId },
    unit: unitOf(facts) ?? null,
    startAt: rfc3339(breach.startAt),
    endAt: breach.endAt === null ? null : rfc3339(breach.endAt),
    lastAt: rfc3339(breach.lastAt),
    peak: breach.peak,
    peakAt: rfc3339(breach.peakAt),
    durationMinutes: Math.floor(durationOf(facts) / MINUTE_MS),
  }
}

/** As far as readings prove it: an open breach lasts until its last reading out of range, whatever the clock says. */
function durationOf({ breach }: BreachFacts): number {
  return (breach.endAt ?? breach.lastAt) - breach.startAt
}

function unitOf({ rule }: BreachFacts): string | undefined {
  // The rules of the watchdog have quantities of their own, without a unit.
  return rule && rule.quantity in QUANTITIES ? QUANTITIES[rule.quantity as Quantity].unit : undefined
}

function formatValue(value: number, unit: string | undefined, locale: string): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'negative' } as const
  const number = new Intl.NumberFormat(locale, { ...digits, useGrouping: false }).format(value)
  switch (unit) {
    case 'Cel':
      return `${number} °C`
    case undefined:
    case '1':
      return number
    default:
      return `${number} ${unit}`
  }
}

/** Local time with its zone, such as `14 March 2026 at 02:10 (Asia/Jakarta, GMT+7)`. A zone that does not exist gives UTC. */
function formatTime(at: number, zone: string, locale: string): string {
  const timeZone = isZone(zone) ? zone : 'UTC'
  const date = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'long' }).format(at)
  const clock = new Intl.DateTimeFormat(locale, { timeZone, timeStyle: 'short', hourCycle: 'h23' }).format(at)
  if (timeZone === 'UTC') return `${date}, ${clock} (UTC)`
  const offset = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'shortOffset' })
    .formatToParts(at)
    .find((part) => part.type === 'timeZoneName')
  return `${date}, ${clock} (${timeZone}, ${offset?.value ?? ''})`
}

function formatShort(at: number, zone: string, locale: string): string {
  const timeZone = isZone(zone) ? zone : 'UTC'
  const parts = {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  } as const
  return new Intl.DateTimeFormat(locale, { timeZone, ...parts }).format(at).replace(',', '')
}

function isZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}

function rfc3339(at: number): string {
  return new Date(at).toISOString()
}

function safe(name: string, lengthMax = NAME_LENGTH_MAX): string {
  const plain = name.toWellFormed().replace(UNSAFE, ' ').trim()
  return plain.length <= lengthMax ? plain : `${plain.slice(0, lengthMax - 1).toWellFormed()}…`
}
