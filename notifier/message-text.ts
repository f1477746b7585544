import type { CloseReason } from '../domain/closing.ts'
import type { EquipmentKind } from '../domain/role.ts'
import type { Content } from './message.ts'
import { fitSms } from './sms.ts'
import { isOfValue, type Topic } from './topic.ts'

/** The words of one language. Names and values come in ready to be read; what each function makes is one sentence or a few. */
export interface Phrases {
  readonly locale: string
  readonly lessThanAMinute: string
  /** `2 days`: a number of whole units. */
  count(n: number, unit: 'day' | 'hour' | 'minute'): string
  readonly trouble: Readonly<Record<Topic, string>>
  readonly kinds: Readonly<Record<EquipmentKind, string>>
  readonly reasons: Readonly<Record<CloseReason, string>>
  where(thing: string, place: string | undefined): string
  readonly headline: {
    wrong(content: Content, trouble: string): string
    over(content: Content, trouble: string): string
    still(content: Content, trouble: string): string
    back(content: Content, trouble: string): string
    corrected(content: Content, trouble: string): string
    withdrawn(content: Content): string
    closed(content: Content, trouble: string): string
  }
  isWrong(content: Content, where: string, trouble: string): string
  stillWrong(content: Content, where: string, trouble: string): string
  wasWrong(content: Content, where: string, trouble: string): string
  isBack(content: Content, where: string): string
  /** Before what was: why it is told once more. */
  readonly corrected: string
  withdrawn(content: Content, where: string): string
  closed(content: Content, where: string, trouble: string): string
  readonly overAlready: string
  peak(content: Content): string
  rule(content: Content): string
  /** By the codes of the watchdog. */
  readonly causes: Readonly<Record<string, string>>
  cause(cause: string): string
  members(content: Content): string
  readonly whatToDo: string
  steps(content: Content, kind: string): readonly string[]
  afterwards(content: Content, kind: string): string
  /** The first thing to do, in a few words, for an SMS. */
  readonly inShort: Readonly<Record<Topic, string>>
  shortSince(content: Content): string
  readonly origin: { readonly device: string; readonly sensor: string; readonly breach: string }
  readonly test: { readonly subject: string; readonly text: string }
}

/** Text, and lists of things to do with a title: mail as HTML shows them as such. */
export type Block = string | { readonly title: string; readonly items: readonly string[] }

const MINUTES_PER_HOUR = 60
const MINUTES_PER_DAY = 1_440
const MINUTE_MS = 60_000

/** The two greatest units, whole: `2 days 3 hours`, `10 hours 5 minutes`, `1 minute`. */
export function durationText(phrases: Phrases, durationMs: number): string {
  const minutes = Math.max(0, Math.floor(durationMs / MINUTE_MS))
  if (minutes === 0) return phrases.lessThanAMinute
  const parts = [
    { n: Math.floor(minutes / MINUTES_PER_DAY), unit: 'day' },
    { n: Math.floor((minutes % MINUTES_PER_DAY) / MINUTES_PER_HOUR), unit: 'hour' },
    { n: minutes % MINUTES_PER_HOUR, unit: 'minute' },
  ] as const
  const first = parts.findIndex(({ n }) => n > 0)
  return parts
    .slice(first, first + 2)
    .filter(({ n }) => n > 0)
    .map(({ n, unit }) => phrases.count(n, unit))
    .join(' ')
}

export function subjectText(phrases: Phrases, content: Content): string {
  const trouble = phrases.trouble[content.topic]
  const { headline } = phrases
  switch (content.step) {
    case 'opened':
      return content.isOver ? headline.over(content, trouble) : headline.wrong(content, trouble)
    case 'reminder':
      return headline.still(content, trouble)
    case 'recovered':
      return headline.back(content, trouble)
    case 'corrected':
      return headline.corrected(content, trouble)
    case 'withdrawn':
      return headline.withdrawn(content)
    case 'closed':
      return headline.closed(content, trouble)
    case 'test':
      return phrases.test.subject
  }
}

export function blocksOf(phrases: Phrases, content: Content): Block[] {
  const where = phrases.where(content.thing, content.place)
  const trouble = phrases.trouble[content.topic]
  const origin = originText(phrases, content)
  const was = lines(phrases.wasWrong(content, where, trouble), worst(phrases, content))
  const after = phrases.afterwards(content, phrases.kinds[content.kind ?? 'refrigerator'])
  switch (content.step) {
    case 'opened':
      if (content.isOver) return [was, phrases.overAlready, after, origin]
      return [
        phrases.isWrong(content, where, trouble),
        ...facts(phrases, content),
        whatToDo(phrases, content),
        origin,
      ]
    case 'reminder':
      return [
        phrases.stillWrong(content, where, trouble),
        ...facts(phrases, content),
        whatToDo(phrases, content),
        origin,
      ]
    case 'recovered':
      return [phrases.isBack(content, where), was, after, origin]
    case 'corrected':
      return [phrases.corrected, was, after, origin]
    case 'withdrawn':
      return [phrases.withdrawn(content, where), origin]
    case 'closed':
      return [phrases.closed(content, where, trouble), origin]
    case 'test':
      return [phrases.test.text]
  }
}

/** Whence it comes. What is wrong with a device is of no sensor, and what is wrong with a place of no device. */
function originText({ origin }: Phrases, { device, sensor, breachId }: Content): string {
  const parts = [device && `${origin.device} ${device}`, device && sensor && `${origin.sensor} ${sensor}`]
  const named = parts.filter((part) => part !== '').join(', ')
  return `${named === '' ? '' : `${named}. `}${origin.breach} ${breachId}.`
}

/** Why and whom it concerns, as far as that is known. */
function facts(phrases: Phrases, content: Content): string[] {
  const members = content.members.length === 0 ? undefined : phrases.members(content)
  const cause = content.cause === undefined ? undefined : phrases.causes[content.cause]
  return [cause && phrases.cause(cause), worst(phrases, content), members].filter(
    (fact) => fact !== undefined,
  )
}

function worst(phrases: Phrases, content: Content): string | undefined {
  return isOfValue(content.topic) ? `${phrases.peak(content)} ${phrases.rule(content)}` : undefined
}

function whatToDo(phrases: Phrases, content: Content): Block {
  const kind = phrases.kinds[content.kind ?? 'refrigerator']
  return { title: phrases.whatToDo, items: phrases.steps(content, kind) }
}

function lines(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined).join('\n')
}

/** One SMS: what and where, since when and what to do as far as there is room. */
export function shortText(phrases: Phrases, content: Content): string {
  const subject = subjectText(phrases, content)
  if (content.step !== 'opened' && content.step !== 'reminder') return fitSms([subject])
  if (content.isOver) return fitSms([subject])
  const since = `${subject}. ${phrases.shortSince(content)}.`
  return fitSms([`${since} ${phrases.inShort[content.topic]}`, since, subject])
}

export function plainText(blocks: readonly Block[]): string {
  return blocks
    .map((block) =>
      typeof block === 'string'
        ? block
        : `${block.title}\n${block.items.map((item, index) => `${index + 1}. ${item}`).join('\n')}`,
    )
    .join('\n\n')
}

/** The same as a page that any mail program shows: no styles that it may drop, no pictures, no links. */
export function htmlText(locale: string, subject: string, blocks: readonly Block[]): string {
  const body = blocks.map((block) => {
    if (typeof block === 'string') return `<p>${escape(block).replaceAll('\n', '<br>\n')}</p>`
    const items = block.items.map((item) => `<li>${escape(item)}</li>`).join('\n')
    return `<p><strong>${escape(block.title)}</strong></p>\n<ol>\n${items}\n</ol>`
  })
  return (
    `<!doctype html>\n<html lang="${escape(locale)}">\n<head><meta charset="utf-8"><title>${escape(subject)}</title></head>\n` +
    `<body style="font-family: sans-serif">\n<h2>${escape(subject)}</h2>\n${body.join('\n')}\n</body>\n</html>\n`
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
