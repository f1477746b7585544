import type { Step } from './message.ts'

/** What a message of the watchdog says, every part of it as people read it. */
export interface WatchContent {
  readonly ruleId: string
  readonly step: Step
  readonly isArea: boolean
  readonly isGateway: boolean
  readonly thing: string
  readonly place: string
  readonly device: string
  readonly cause: string | null
  /** How many devices, of an outage. */
  readonly count: number
  readonly startAt: string
  readonly endAt: string | undefined
  readonly since: string
  readonly duration: string
  readonly breachId: string
}

const CAUSES: Readonly<Record<string, string>> = {
  power: 'The power was out before.',
  gateway: 'Its gateway says nothing either.',
  battery: 'Its battery was nearly empty.',
  'connection-lost': 'Its connection was lost.',
  disconnected: 'It had ended its connection itself: perhaps it was switched off.',
}

/** English, for silence, outages, clocks, calibration and broken sensors. */
export function subjectOf(content: WatchContent): string {
  const { step } = content
  const what = trouble(content)
  if (step === 'recovered') return `${capital(back(content))}: ${where(content)}`
  if (step === 'withdrawn') return `No readings were lost: ${where(content)}`
  return step === 'reminder' ? `Still ${what}: ${where(content)}` : `${capital(what)}: ${where(content)}`
}

export function textOf(content: WatchContent): string {
  const { step, breachId, device } = content
  const lines = step === 'opened' || step === 'reminder' ? opened(content) : over(content)
  const origin = device === '' ? `Breach ${breachId}.` : `Device ${device}. Breach ${breachId}.`
  return [...lines, origin].join('\n\n')
}

function where({ ruleId, isGateway, isArea, thing, place, device }: WatchContent): string {
  if (ruleId === 'site-outage') return isGateway && !isArea ? `gateway ${device}, ${place}` : place
  return `${thing}, ${place}`
}

function trouble({ ruleId, cause, count }: WatchContent): string {
  switch (ruleId) {
    case 'silence':
      return 'no readings'
    case 'site-outage':
      return cause === 'power' ? `power out, ${count} devices` : `${count} devices cut off`
    case 'clock-wrong':
      return 'clock wrong'
    case 'calibration-overdue':
      return 'calibration overdue'
    default:
      return 'sensor unplugged or broken'
  }
}

function back({ ruleId }: WatchContent): string {
  return ruleId === 'silence' || ruleId === 'site-outage' ? 'readings again' : 'in order again'
}

function opened(content: WatchContent): string[] {
  const { ruleId, startAt, since, count, cause, step } = content
  const asks = step === 'reminder' ? ' Nobody has acknowledged it yet.' : ''
  const why = cause === null ? '' : ` ${CAUSES[cause] ?? ''}`
  switch (ruleId) {
    case 'silence':
      return [
        `${where(content)} has sent nothing since ${startAt}, for ${since}. How warm it is nobody knows.${why}${asks}`,
        todo(
          'Read the thermometer at the refrigerator and write it down, now and twice a day.',
          'Check that the device has power and a network.',
        ),
      ]
    case 'site-outage':
      return [
        `${count} devices at ${where(content)} are silent or without power since ${startAt}.${outageCause(content)}${asks}`,
        todo(
          'Call the place: is there power, is there a network?',
          'Keep the doors closed, and read the thermometers by hand.',
          'If power will stay away for long, prepare to move the vaccines.',
        ),
      ]
    case 'clock-wrong':
      return [
        `The clock of ${where(content)} is wrong: the times that it gives cannot be true, since ${startAt}.${asks}`,
        todo('Set its clock, or the place that it takes the time from.'),
      ]
    case 'calibration-overdue':
      return [
        `The calibration of ${where(content)} was due at ${startAt}.${asks}`,
        todo('Have it calibrated, and enter the certificate.'),
      ]
    default:
      return [
        `${where(content)} gives values that no thermometer can give, since ${startAt}: its sensor is unplugged or broken.${asks}`,
        todo('Check the plug and the cable of the sensor.', 'Read the thermometer by hand until it works.'),
      ]
  }
}

function outageCause({ cause }: WatchContent): string {
  if (cause === 'power') return ' The power is out.'
  return cause === 'gateway' ? ' They speak through one gateway.' : ''
}

function over(content: WatchContent): string[] {
  const { step, startAt, endAt, duration } = content
  const span = `from ${startAt}${endAt === undefined ? '' : ` to ${endAt}`}, for ${duration}`
  if (step === 'withdrawn')
    return [
      `${where(content)} is heard again. It had gone on measuring: the readings from ${startAt} on have come in, so that none are missing.`,
    ]
  return [
    `${capital(back(content))} from ${where(content)}. It was ${span}.`,
    'Look at what the readings say about the time in between. Do not discard anything because of this alarm alone.',
  ]
}

function todo(...lines: string[]): string {
  return `What to do now:\n${lines.map((line, index) => `${index + 1}. ${line}`).join('\n')}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
