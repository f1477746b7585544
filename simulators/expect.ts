import { judgeReadings } from '../domain/breach.ts'
import { EVERYWHERE } from '../domain/rule-resolution.ts'
import { shippedRules } from '../domain/shipped-rules.ts'
import { playScenario, type Scenario } from './scenario.ts'

/** A breach that a scenario must give. Times are RFC 3339 in UTC; `endAt` is null when it is still open at the end. */
export interface ExpectedBreach {
  /** Name of the device in the scenario. */
  readonly device: string
  /** Id of the rule. */
  readonly rule: string
  readonly startAt: string
  /** The first reading back in range. */
  readonly endAt: string | null
  readonly peak: number
  readonly peakAt: string
  /** The last violating reading, and how many there are. */
  readonly lastAt: string
  readonly readings: number
}

/** All that a server must make of a scenario, whatever order its messages arrive in. */
export interface Expectation {
  readonly scenario: string
  readonly messages: number
  /** Distinct readings that are accepted. */
  readonly readings: number
  /** Refused readings by code, each counted once per message that carries it. */
  readonly refused: Readonly<Record<string, number>>
  readonly breaches: readonly ExpectedBreach[]
}

/** Plays a scenario, its times moved by `shiftMs`, and judges its readings by the rules that ship. */
export function expectationOf(scenario: Scenario, shiftMs = 0): Expectation {
  const { messages, readings, refused } = playScenario(scenario, shiftMs)
  const breaches = scenario.devices.flatMap(({ name }) => {
    const own = readings.filter(({ deviceId }) => deviceId === name)
    return [...shippedRules('who-30dtr'), ...shippedRules(EVERYWHERE)].flatMap((rule) =>
      judgeReadings(rule, own).map((breach) => ({
        device: name,
        rule: rule.id,
        startAt: iso(breach.startAt),
        endAt: breach.endAt === null ? null : iso(breach.endAt),
        peak: breach.peak,
        peakAt: iso(breach.peakAt),
        lastAt: iso(breach.lastAt),
        readings: breach.readings,
      })),
    )
  })
  return { scenario: scenario.name, messages: messages.length, readings: readings.length, refused, breaches }
}

/** The text of a checked-in expectation file. */
export function expectationText(expectation: Expectation): string {
  return `${JSON.stringify(expectation, null, 2)}\n`
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
