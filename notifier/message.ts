import { QUANTITIES, type Quantity } from '../domain/reading.ts'
import type { EquipmentKind } from '../domain/role.ts'
import type { BreachFacts } from '../db/queries/notification.ts'
import type { NotificationTable } from '../db/schema.ts'
import { watchRuleOf } from '../domain/watch-rule.ts'
import { english } from './message-en.ts'
import { subjectOf, textOf, type WatchContent } from './message-watch-en.ts'

export type Step = NotificationTable['step']

/** Which way the limit was crossed; undefined when the rule is not there any more. */
export type Direction = 'high' | 'low' | undefined

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
  readonly direction: Direction
  /** Recovered and broken the rule again. */
  readonly isAgain: boolean
  /** Whether it was over before anybody was told. */
  readonly isOver: boolean
  readonly isTemperature: boolean
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
  readonly endAt: string | undefined
  /** Time of the last reading out of range. */
  readonly lastAt: string
  /** From the first reading out of range to the end, or as far as readings go. */
  readonly duration: string
  /** From the first reading out of range until now. */
  readonly sinceStart: string
  readonly breachId: string
}

/** A language. Another one is a file like `message-en.ts`. */
export interface Language {
  readonly locale: string
  duration(durationMs: number): string
  subject(content: Content): string
  text(content: Content): string
}

export interface Message {
  readonly subject: string
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
}

const NAME_LENGTH_MAX = 100
const MINUTE_MS = 60_000

/** Control characters, line separators, and the marks that turn the direction of text around: no name may forge a line. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu

/** The message of one notification: for people in plain words, for machines as data. Times are those of the facility, with the zone. */
export function writeMessage(input: MessageInput, language: Language = english): Message {
  if (watchRuleOf(input.facts.breach.ruleId)) return writeWatchMessage(input, language)
  const content = describe(input, language)
  return { subject: language.subject(content), text: language.text(content), data: dataOf(input) }
}

function writeWatchMessage(input: MessageInput, language: Language): Message {
  const { facts, step, now } = input
  const { breach, equipment, facility } = facts
  const time = (at: number) => formatTime(at, facility?.timeZone ?? 'UTC', language.locale)
  const device = safe(facts.deviceName)
  const content: WatchContent = {
    ruleId: breach.ruleId,
    step,
    isArea: breach.deviceId === null,
    isGateway: breach.cause === 'gateway',
    thing: equipment ? safe(equipment.name) : device,
    place: facility ? safe(facility.name) : 'no known place',
    device,
    cause: breach.cause,
    count: breach.peak,
    startAt: time(breach.startAt),
    endAt: breach.endAt === null ? undefined : time(breach.endAt),
    since: language.duration(now - breach.startAt),
    duration: language.duration(durationOf(facts)),
    breachId: breach.id,
  }
  return { subject: subjectOf(content), text: textOf(content), data: dataOf(input) }
}

function describe({ facts, step, sequence, now }: MessageInput, language: Language): Content {
  const { breach, equipment, facility, rule } = facts
  const zone = facility?.timeZone ?? 'UTC'
  const time = (at: number) => formatTime(at, zone, language.locale)
  const device = safe(facts.deviceName)
  return {
    step,
    direction: directionOf(facts),
    isAgain: step === 'opened' && sequence > 0,
    isOver: breach.state !== 'open',
    isTemperature: unitOf(facts) === 'Cel',
    kind: equipment?.kind,
    thing: equipment ? safe(equipment.name) : device,
    place: facility ? safe(facility.name) : undefined,
    device,
    sensor: safe(breach.sensor),
    ruleName: safe(rule?.name ?? breach.ruleId),
    peak: formatValue(breach.peak, unitOf(facts)),
    peakAt: time(breach.peakAt),
    startAt: time(breach.startAt),
    endAt: breach.endAt === null ? undefined : time(breach.endAt),
    lastAt: time(breach.lastAt),
    duration: language.duration(durationOf(facts)),
    sinceStart: language.duration(Math.max(now - breach.startAt, durationOf(facts))),
    breachId: breach.id,
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

function directionOf({ rule }: BreachFacts): Direction {
  if (!rule) return undefined
  return rule.comparator === 'gt' || rule.comparator === 'gte' ? 'high' : 'low'
}

function unitOf({ rule }: BreachFacts): string | undefined {
  return rule && rule.quantity in QUANTITIES ? QUANTITIES[rule.quantity as Quantity].unit : undefined
}

function formatValue(value: number, unit: string | undefined): string {
  const number = value.toFixed(1).replace(/^-0\.0$/, '0.0')
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

function safe(name: string): string {
  const plain = name.toWellFormed().replace(UNSAFE, ' ').trim()
  return plain.length <= NAME_LENGTH_MAX ? plain : `${plain.slice(0, NAME_LENGTH_MAX - 1).toWellFormed()}…`
}
