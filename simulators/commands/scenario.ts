import { setTimeout as sleep } from 'node:timers/promises'
import { watchRuleOf } from '../../domain/watch-rule.ts'
import { openApi, type Api } from '../api.ts'
import { expectationOf, type ExpectedBreach } from '../expect.ts'
import { playScript } from '../play.ts'
import { register, type RegisteredDevice } from '../register.ts'
import { playScenario, type Scenario } from '../scenario.ts'
import { SCENARIOS } from '../scenarios/all.ts'
import { openScreen, type Screen } from '../screen.ts'
import { breachTable } from './expect.ts'
import { simulationPlan, type ServerFlags } from './fleet.ts'
import { stopSignal } from './stop-signal.ts'

export interface ScenarioFlags extends ServerFlags {
  /** Undefined: as fast as the server acknowledges. */
  readonly speed: number | undefined
  readonly endingNow: boolean
}

/** A breach as the API lists it; only what is compared. */
interface ListedBreach {
  readonly deviceId: string
  readonly ruleId: string
  readonly state: string
  readonly startAt: string
  readonly endAt: string | null
  readonly peak: number
  readonly peakAt: string
  readonly lastAt: string
  readonly readings: number
}

const EXIT_USAGE = 2
const EXIT_DIFFERENT = 5
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** How long the server may take from the last acknowledgement to the last breach. */
const JUDGE_TIMEOUT_MS = 120_000
/** How long the breaches must stay as expected: one too many may still come, above all where none is expected. */
const SETTLE_MS = 2000
const POLL_EVERY_MS = 250

/** Plays a scenario and compares what the server found; resolves with the exit code. @throws ApiError, DeviceError */
export async function scenarioCommand(name: string, flags: ScenarioFlags): Promise<number> {
  const scenario = SCENARIOS.find((known) => known.name === name)
  if (!scenario) {
    const names = SCENARIOS.map((known) => known.name).join(', ')
    console.error(`There is no scenario "${name}". There are: ${names}.`)
    return EXIT_USAGE
  }
  const screen = openScreen()
  const signal = stopSignal()
  const shiftMs = flags.endingNow ? shiftToNow(scenario) : 0
  const api = await openApi({ url: flags.http, username: flags.user, password: flags.password })
  screen.line(`${scenario.name}: ${scenario.description}`)
  const devices = await registerScenario(api, scenario, shiftMs)
  await playScript({
    url: flags.mqtt,
    tokens: devices.map(({ token }) => token),
    script: playScenario(scenario, shiftMs),
    speed: flags.speed ?? Infinity,
    signal,
    onProgress: ({ time, acknowledged, messages }) =>
      screen.state(`${new Date(time).toISOString().slice(0, 16)}Z  acknowledged ${acknowledged}/${messages}`),
  })
  screen.done()
  if (signal.aborted) return 0
  return compare(api, screen, devices, expectationOf(scenario, shiftMs).breaches)
}

function shiftToNow(scenario: Scenario): number {
  const endAt = Date.parse(scenario.start) + scenario.hours * HOUR_MS
  return Math.floor((Date.now() - endAt) / MINUTE_MS) * MINUTE_MS
}

/** A scenario moved in time gets refrigerators of its own, so that the readings of two runs do not mix. */
async function registerScenario(api: Api, scenario: Scenario, shiftMs: number): Promise<RegisteredDevice[]> {
  const startAt = new Date(Date.parse(scenario.start) + shiftMs)
  const facility = shiftMs === 0 ? scenario.name : `${scenario.name} ${startAt.toISOString()}`
  const equipment = scenario.devices.map(({ name }) => ({ name }))
  return register(
    api,
    simulationPlan('Scenarios', [{ name: facility, level: 'facility', timeZone: 'Asia/Jakarta', equipment }]),
  )
}

async function compare(
  api: Api,
  screen: Screen,
  devices: readonly RegisteredDevice[],
  expected: readonly ExpectedBreach[],
): Promise<number> {
  const deadline = Date.now() + JUDGE_TIMEOUT_MS
  let found: ExpectedBreach[] = []
  let sameSince = Infinity
  while (Date.now() < deadline) {
    found = await breachesOf(api, devices)
    sameSince = sameBreaches(found, expected) ? Math.min(sameSince, Date.now()) : Infinity
    if (Date.now() - sameSince >= SETTLE_MS) {
      screen.line(`The server found what was expected:\n${breachTable(found)}`)
      return 0
    }
    await sleep(POLL_EVERY_MS)
  }
  screen.line(`Expected:\n${breachTable(expected)}\nFound:\n${breachTable(found)}`)
  return EXIT_DIFFERENT
}

async function breachesOf(api: Api, devices: readonly RegisteredDevice[]): Promise<ExpectedBreach[]> {
  const lists = devices.map(async ({ id, name }) => {
    const listed = await api.list<ListedBreach>(`/v1/breaches?deviceId=${id}`)
    return listed.filter(isOfReadings).map((breach) => comparable(name, breach))
  })
  return (await Promise.all(lists)).flat()
}

/** What the watchdog finds (silence, wrong clocks) also depends on when the messages came, and is no part of what a scenario must give. */
function isOfReadings({ state, ruleId }: ListedBreach): boolean {
  return state !== 'withdrawn' && watchRuleOf(ruleId) === undefined
}

function comparable(device: string, breach: ListedBreach): ExpectedBreach {
  const { ruleId: rule, startAt, endAt, peak, peakAt, lastAt, readings } = breach
  return { device, rule, startAt, endAt, peak, peakAt, lastAt, readings }
}

function sameBreaches(a: readonly ExpectedBreach[], b: readonly ExpectedBreach[]): boolean {
  return sorted(a) === sorted(b)
}

function sorted(breaches: readonly ExpectedBreach[]): string {
  return JSON.stringify(breaches.map((breach) => JSON.stringify(breach)).toSorted())
}
