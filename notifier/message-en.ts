import type { Content } from './message.ts'
import { capital, type Phrases } from './message-text.ts'
import { isOfValue, type Topic } from './topic.ts'

const ACKNOWLEDGE = 'Acknowledge the alarm and say what you did.'
const NO_DISCARD = 'Do not discard anything because of this alarm alone. Acknowledge it and say what you did.'

/** English. What to do follows the field guide: an alarm does not by itself mean discard; read the VVM; after freezing, shake test. */
export const english: Phrases = {
  locale: 'en-GB',
  lessThanAMinute: 'less than a minute',
  count: (n, unit) => `${n} ${unit}${n === 1 ? '' : 's'}`,
  trouble: {
    tooWarm: 'too warm',
    tooCold: 'too cold',
    tooHigh: 'too high',
    tooLow: 'too low',
    outOfRange: 'out of range',
    powerOut: 'without power',
    doorOpen: 'open for too long',
    batteryLow: 'low on battery',
    silent: 'silent',
    siteOutage: 'cut off',
    clockWrong: 'showing the wrong time',
    calibrationOverdue: 'due for calibration',
    sensorUnplugged: 'without its sensor',
    stuck: 'stuck at one value',
    jumping: 'jumping between values',
    changingFast: 'changing too fast',
  },
  kinds: {
    refrigerator: 'refrigerator',
    freezer: 'freezer',
    'cold-room': 'cold room',
    'cold-box': 'cold box',
    vehicle: 'vehicle',
  },
  reasons: {
    'sensor-lost': 'the sensor is lost',
    'sensor-removed': 'the sensor was removed',
    'sensor-moved': 'the sensor was moved',
    'sensor-broken': 'the sensor is broken',
    'false-alarm': 'it was a false alarm',
    reviewed: 'it was reviewed',
    other: 'for another reason',
  },
  causes: {
    power: 'the power is out',
    battery: 'the battery of the device is empty',
    gateway: 'the gateway is down',
    'connection-lost': 'the device lost its connection',
    disconnected: 'the device disconnected',
  },
  where: (thing, site) => (site === undefined ? thing : `${thing} at ${site}`),
  headline: {
    wrong: (content, trouble) => `${capital(trouble)}${content.isAgain ? ' again' : ''}: ${named(content)}`,
    over: (content, trouble) => `Was ${trouble}, over now: ${named(content)}`,
    still: (content, trouble) => `Still ${trouble}: ${named(content)}`,
    back: (content) => `${isOfValue(content.topic) ? 'Back in range' : 'Back to normal'}: ${place(content)}`,
    corrected: (content, trouble) => `Was ${trouble} for ${content.duration}: ${place(content)}`,
    withdrawn: (content) => `Alarm withdrawn: ${place(content)}`,
    closed: (content, trouble) => `Alarm closed (${trouble}): ${place(content)}`,
  },
  isWrong: (content, where, trouble) =>
    `${where} is ${trouble}${content.isAgain ? ' again' : ''}, since ${content.startAt}.` +
    (isOfValue(content.topic)
      ? `\nSo far that is ${content.duration}, up to the last reading out of range at ${content.lastAt}.`
      : ''),
  stillWrong: (content, where, trouble) =>
    `${where} is still ${trouble}.\nIt began ${content.sinceStart} ago, at ${content.startAt}, and nobody has acknowledged it.`,
  wasWrong: (content, where, trouble) =>
    `${where} was ${trouble} from ${content.startAt}${content.endAt === undefined ? '' : ` to ${content.endAt}`}, for ${content.duration}.`,
  isBack: (content, where) =>
    `${where} is ${isOfValue(content.topic) ? 'back in range' : 'back to normal'}${content.endAt === undefined ? '' : ` since ${content.endAt}`}.`,
  corrected: 'Readings that came in later show another end than you were told before.',
  withdrawn: (content, where) =>
    `The alarm about ${where} of ${content.startAt} is withdrawn: readings that came in later show ` +
    'that the limit was not broken for as long as the rule says. There is nothing to do.',
  closed: (content, where, trouble) =>
    `The alarm about ${where} (${trouble} since ${content.startAt}) was closed: ${english.reasons[content.closeReason ?? 'other']}.` +
    (content.closeComment === undefined ? '' : `\n“${content.closeComment}”`),
  overAlready: 'It is over already.',
  peak: (content) => `${peakName(content.topic)}: ${content.peak}, at ${content.peakAt}.`,
  rule: (content) => `The rule is: ${content.ruleName}.`,
  cause: (cause) => `Probable cause: ${cause}.`,
  members: (content) => `Concerned: ${content.members.join('; ')}.`,
  whatToDo: 'What to do now:',
  steps,
  afterwards,
  inShort: {
    tooWarm: 'Check door and power.',
    tooCold: 'Check the thermostat. No freeze-sensitive vaccine before a shake test.',
    tooHigh: 'Look at it.',
    tooLow: 'Look at it.',
    outOfRange: 'Look at it.',
    powerOut: 'Check plug and fuse, keep the door shut.',
    doorOpen: 'Close the door.',
    batteryLow: 'Charge or replace it.',
    silent: 'Read the thermometer; check the device.',
    siteOutage: 'Check power and network.',
    clockWrong: 'Set the clock.',
    calibrationOverdue: 'Have it calibrated.',
    sensorUnplugged: 'Plug the sensor in.',
    stuck: 'Check the sensor.',
    jumping: 'Check the sensor.',
    changingFast: 'Check the door.',
  },
  shortSince: (content) => `Since ${content.shortStartAt}`,
  origin: { device: 'Device', sensor: 'sensor', breach: 'Breach' },
  test: {
    subject: 'TEST: a test message of Coldstream',
    text: 'This is a test. Alarms will reach you like this. There is nothing to do.',
  },
}

function place({ thing, place: at }: Content): string {
  return at === undefined ? thing : `${thing}, ${at}`
}

function named(content: Content): string {
  return isOfValue(content.topic) ? `${place(content)}, ${content.peak}` : place(content)
}

function peakName(topic: Topic): string {
  switch (topic) {
    case 'tooWarm':
      return 'Warmest'
    case 'tooCold':
      return 'Coldest'
    case 'tooHigh':
      return 'Highest'
    case 'tooLow':
    case 'batteryLow':
      return 'Lowest'
    default:
      return 'Furthest'
  }
}

/** In a freezer everything has been frozen before: the shake test says nothing there. */
function isFrozenOnPurpose(content: Content): boolean {
  return content.kind === 'freezer'
}

function steps(content: Content, unit: string): readonly string[] {
  switch (content.topic) {
    case 'tooWarm':
      return [
        `Check that the door is closed and that the ${unit} has power.`,
        `If the temperature does not come down, move the vaccines to a working ${unit}.`,
        'Read the vaccine vial monitors (VVM) before you use these vaccines.',
        NO_DISCARD,
      ]
    case 'tooCold':
      return [
        ...(isFrozenOnPurpose(content)
          ? []
          : [`Do not use freeze-sensitive vaccines from this ${unit} before a shake test.`]),
        `Check the thermostat and the sensor. If the temperature does not come up, move the vaccines to a working ${unit}.`,
        NO_DISCARD,
      ]
    default:
      return [...OTHER_STEPS[content.topic], ACKNOWLEDGE]
  }
}

const LOOK = ['Look at the equipment and its sensor.']
const SENSOR = ['Look at the sensor and its cable; until it works, read a thermometer twice a day.']

const OTHER_STEPS: Readonly<Record<Exclude<Topic, 'tooWarm' | 'tooCold'>, readonly string[]>> = {
  tooHigh: LOOK,
  tooLow: LOOK,
  outOfRange: LOOK,
  powerOut: [
    'Check the plug, the fuse and whether there is power in the building. Keep the door closed.',
    'If the power does not come back, start the generator or move the vaccines before they get warm.',
  ],
  doorOpen: ['Close the door, and check that its seal is clean.'],
  batteryLow: ['Charge or replace the battery of the device: without it nobody hears of the next alarm.'],
  silent: [
    'Read the thermometer of the equipment: nobody knows how warm it is.',
    'Check that the device is switched on, charged and in reach of its network.',
  ],
  siteOutage: [
    'Check whether the site has power and network; read the thermometers there.',
    'If the power does not come back, keep the doors closed and make ready to move the vaccines.',
  ],
  clockWrong: ['Set the clock of the device: its readings cannot be trusted in their times.'],
  calibrationOverdue: ['Have the sensor calibrated, or put in one that is.'],
  sensorUnplugged: ['Plug the sensor in again, and check its cable.'],
  stuck: SENSOR,
  jumping: SENSOR,
  changingFast: ['Check the door, and whether warm goods were put in.'],
}

function afterwards(content: Content, unit: string): string {
  switch (content.topic) {
    case 'tooWarm':
      return 'Before you use these vaccines, read their vaccine vial monitors (VVM). Do not discard because of this alarm alone.'
    case 'tooCold':
      if (isFrozenOnPurpose(content)) return 'Check the thermostat and the sensor.'
      return (
        `Do not use freeze-sensitive vaccines from this ${unit} before a shake test. ` +
        'Do not discard because of this alarm alone.'
      )
    case 'silent':
    case 'siteOutage':
      return 'Look at the readings of that time, which may still come in.'
    case 'powerOut':
      return 'Check that the temperature stayed in range.'
    default:
      return 'Look at the equipment and find out why.'
  }
}
