import type { Content, Language } from './message.ts'

const MINUTES_PER_HOUR = 60
const MINUTES_PER_DAY = 1_440
const MINUTE_MS = 60_000

const KINDS = {
  refrigerator: 'refrigerator',
  freezer: 'freezer',
  'cold-room': 'cold room',
  'cold-box': 'cold box',
  vehicle: 'vehicle',
} as const

/** English. What to do follows the field guide: an alarm does not by itself mean discard; read the VVM; after freezing, shake test. */
export const english: Language = {
  locale: 'en-GB',
  duration,
  subject,
  text: (content) => paragraphs(content).join('\n\n'),
}

/** The two greatest units, whole: `2 days 3 hours`, `10 hours 5 minutes`, `1 minute`. */
function duration(durationMs: number): string {
  const minutes = Math.max(0, Math.floor(durationMs / MINUTE_MS))
  if (minutes === 0) return 'less than a minute'
  const parts = [
    count(Math.floor(minutes / MINUTES_PER_DAY), 'day'),
    count(Math.floor((minutes % MINUTES_PER_DAY) / MINUTES_PER_HOUR), 'hour'),
    count(minutes % MINUTES_PER_HOUR, 'minute'),
  ]
  const first = parts.findIndex((part) => part !== undefined)
  return parts
    .slice(first, first + 2)
    .filter((part) => part !== undefined)
    .join(' ')
}

function count(n: number, unit: string): string | undefined {
  return n === 0 ? undefined : `${n} ${unit}${n === 1 ? '' : 's'}`
}

function subject(content: Content): string {
  const where = content.place === undefined ? content.thing : `${content.thing}, ${content.place}`
  const wrong = capital(trouble(content))
  switch (content.step) {
    case 'opened':
      if (content.isOver) return `Was ${trouble(content)}, over now: ${where}, ${content.peak}`
      return `${wrong}${content.isAgain ? ' again' : ''}: ${where}, ${content.peak}`
    case 'reminder':
      return `Still ${trouble(content)}: ${where}, ${content.peak}`
    case 'recovered':
      return `Back in range: ${where}`
    case 'withdrawn':
      return `Alarm withdrawn: ${where}`
  }
}

function paragraphs(content: Content): string[] {
  switch (content.step) {
    case 'opened':
      return content.isOver
        ? [wasWrong(content), 'It is over already.', afterwards(content), origin(content)]
        : [isWrong(content), peak(content), now(content), origin(content)]
    case 'reminder':
      return [stillWrong(content), peak(content), now(content), origin(content)]
    case 'recovered':
      return [isBack(content), wasWrong(content), afterwards(content), origin(content)]
    case 'withdrawn':
      return [withdrawn(content), origin(content)]
  }
}

function isWrong(content: Content): string {
  return (
    `${whereabouts(content)} is ${trouble(content)}${content.isAgain ? ' again' : ''}, since ${content.startAt}.\n` +
    `So far that is ${content.duration}, up to the last reading out of range at ${content.lastAt}.`
  )
}

function stillWrong(content: Content): string {
  return (
    `${whereabouts(content)} is still ${trouble(content)}.\n` +
    `It began ${content.sinceStart} ago, at ${content.startAt}, and nobody has acknowledged it.`
  )
}

function wasWrong(content: Content): string {
  const until = content.endAt === undefined ? '' : ` to ${content.endAt}`
  return (
    `${whereabouts(content)} was ${trouble(content)} from ${content.startAt}${until}, for ${content.duration}.\n` +
    peak(content)
  )
}

function isBack(content: Content): string {
  const since = content.endAt === undefined ? '' : ` since ${content.endAt}`
  return `${whereabouts(content)} is back in range${since}.`
}

function withdrawn(content: Content): string {
  return (
    `The alarm about ${whereabouts(content)} of ${content.startAt} is withdrawn: readings that came in later show ` +
    'that the limit was not broken for as long as the rule says. There is nothing to do.'
  )
}

function peak(content: Content): string {
  const word = { high: 'Highest', low: 'Lowest', none: 'Furthest' }[content.direction ?? 'none']
  const extreme = content.isTemperature ? { high: 'Warmest', low: 'Coldest', none: 'Furthest' } : undefined
  const name = extreme?.[content.direction ?? 'none'] ?? word
  return `${name}: ${content.peak}, at ${content.peakAt}. The rule is: ${content.ruleName}.`
}

function now(content: Content): string {
  return `What to do now:\n${numbered(steps(content))}`
}

function steps(content: Content): string[] {
  const { direction, isTemperature } = content
  if (!isTemperature || direction === undefined)
    return ['Look at the equipment and its sensor.', 'Acknowledge the alarm and say what you did.']
  const unit = kind(content)
  if (direction === 'high')
    return [
      `Check that the door is closed and that the ${unit} has power.`,
      `If the temperature does not come down, move the vaccines to a working ${unit}.`,
      'Read the vaccine vial monitors (VVM) before you use these vaccines.',
      'Do not discard anything because of this alarm alone. Acknowledge it and say what you did.',
    ]
  return [
    ...(isFrozenOnPurpose(content)
      ? []
      : [`Do not use freeze-sensitive vaccines from this ${unit} before a shake test.`]),
    `Check the thermostat and the sensor. If the temperature does not come up, move the vaccines to a working ${unit}.`,
    'Do not discard anything because of this alarm alone. Acknowledge it and say what you did.',
  ]
}

function afterwards(content: Content): string {
  const { direction, isTemperature } = content
  if (!isTemperature || direction === undefined) return 'Look at the equipment and find out why.'
  if (direction === 'high')
    return 'Before you use these vaccines, read their vaccine vial monitors (VVM). Do not discard because of this alarm alone.'
  if (isFrozenOnPurpose(content)) return 'Check the thermostat and the sensor.'
  return (
    `Do not use freeze-sensitive vaccines from this ${kind(content)} before a shake test. ` +
    'Do not discard because of this alarm alone.'
  )
}

/** In a freezer everything has been frozen before: the shake test says nothing there. */
function isFrozenOnPurpose(content: Content): boolean {
  return content.kind === 'freezer'
}

function kind(content: Content): string {
  return KINDS[content.kind ?? 'refrigerator']
}

function origin(content: Content): string {
  return `Device ${content.device}, sensor ${content.sensor}. Breach ${content.breachId}.`
}

function trouble({ direction, isTemperature }: Content): string {
  if (direction === undefined) return 'out of range'
  if (isTemperature) return direction === 'high' ? 'too warm' : 'too cold'
  return direction === 'high' ? 'too high' : 'too low'
}

function whereabouts({ thing, place }: Content): string {
  return place === undefined ? thing : `${thing} at ${place}`
}

function numbered(lines: readonly string[]): string {
  return lines.map((line, index) => `${index + 1}. ${line}`).join('\n')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
