import type { BreachFacts } from '../db/queries/notification.ts'

/** What is wrong, as people see it: each language has its words and its advice for each. */
export const TOPICS = [
  'tooWarm',
  'tooCold',
  'tooHigh',
  'tooLow',
  'outOfRange',
  'powerOut',
  'doorOpen',
  'batteryLow',
  'silent',
  'siteOutage',
  'clockWrong',
  'calibrationOverdue',
  'sensorUnplugged',
  'stuck',
  'jumping',
  'changingFast',
] as const
export type Topic = (typeof TOPICS)[number]

const BY_QUANTITY: Readonly<Record<string, Topic>> = {
  silence: 'silent',
  'site-outage': 'siteOutage',
  'clock-wrong': 'clockWrong',
  'calibration-overdue': 'calibrationOverdue',
  'sensor-unplugged': 'sensorUnplugged',
  powerOn: 'powerOut',
  powerGoodSeconds: 'powerOut',
  doorOpen: 'doorOpen',
  doorOpenSeconds: 'doorOpen',
  battery: 'batteryLow',
  batteryVoltage: 'batteryLow',
  batteryDays: 'batteryLow',
}

const BY_MEASURE: Readonly<Record<string, Topic>> = {
  stuck: 'stuck',
  jump: 'jumping',
  ratePerHour: 'changingFast',
}

const TEMPERATURES: ReadonlySet<string> = new Set(['temperature', 'ambientTemperature', 'freezerTemperature'])

/** Topics that are about a value: what it was at its worst says something. */
const OF_VALUES: ReadonlySet<Topic> = new Set([
  'tooWarm',
  'tooCold',
  'tooHigh',
  'tooLow',
  'outOfRange',
  'batteryLow',
])

/** What a breach is about. The rules of the watchdog go by their id, also where the rule itself is gone. */
export function topicOf({ rule, breach }: Pick<BreachFacts, 'rule' | 'breach'>): Topic {
  const known = BY_MEASURE[rule?.measure ?? 'value'] ?? BY_QUANTITY[rule?.quantity ?? breach.ruleId]
  if (known !== undefined) return known
  return rule === null ? 'outOfRange' : directionOf(rule)
}

function directionOf({ comparator, quantity }: NonNullable<BreachFacts['rule']>): Topic {
  const isHigh = comparator === 'gt' || comparator === 'gte'
  if (TEMPERATURES.has(quantity)) return isHigh ? 'tooWarm' : 'tooCold'
  return isHigh ? 'tooHigh' : 'tooLow'
}

export function isOfValue(topic: Topic): boolean {
  return OF_VALUES.has(topic)
}
