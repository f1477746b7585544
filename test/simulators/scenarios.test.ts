import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { expectationFile } from '../../simulators/commands/expect.ts'
import { expectationOf, expectationText } from '../../simulators/expect.ts'
import { playScenario } from '../../simulators/scenario.ts'
import { SCENARIOS } from '../../simulators/scenarios/all.ts'

const HINT = 'if the change is meant: look at it, then npm run simulate -- expect --write'

/** High and low breaches that the story of each scenario tells. */
const STORIES: Record<string, { high: string[]; low: string[] }> = {
  'normal-week': { high: [], low: [] },
  'door-left-open': { high: ['all-night'], low: [] },
  'power-cut': { high: ['domestic'], low: [] },
  'slow-leak': { high: ['leaking'], low: [] },
  'freezing-night': { high: [], low: ['stuck'] },
  'week-offline': { high: ['unheard', 'unheard-and-warm'], low: [] },
  duplicates: { high: ['nervous'], low: [] },
  'clock-drift': { high: ['slow', 'fast', 'forgetful'], low: [] },
  flapping: { high: ['long-enough'], low: [] },
}

test('every scenario has a story, and every story a scenario', async (t) => {
  t.same(SCENARIOS.map(({ name }) => name).toSorted(), Object.keys(STORIES).toSorted())
})

for (const scenario of SCENARIOS) {
  test(`${scenario.name}: the checked-in breaches are those that its readings give`, async (t) => {
    const file = await readFile(expectationFile(scenario.name), 'utf8')
    t.equal(file, expectationText(expectationOf(scenario)), HINT)
  })

  test(`${scenario.name}: the breaches are those of its story`, async (t) => {
    const { breaches } = expectationOf(scenario)
    const devices = (rule: string) =>
      breaches.filter((breach) => breach.rule === rule).map(({ device }) => device)
    t.same(
      { high: devices('who-30dtr-high'), low: devices('who-30dtr-low') },
      STORIES[scenario.name] ?? 'no story',
    )
  })

  test(`${scenario.name}: messages come in order, in the past, and play the same twice`, async (t) => {
    const script = playScenario(scenario)
    t.same(script, playScenario(scenario))
    const times = script.messages.map(({ publishAt }) => publishAt)
    t.same(
      times,
      times.toSorted((a, b) => a - b),
    )
    t.ok((times.at(-1) ?? Infinity) < Date.parse('2026-01-01'))
    t.ok(script.messages.every(({ payload }) => payload.length < 65_536))
  })
}

test('moving a scenario moves its breaches, and nothing else of them', async (t) => {
  const day = 24 * 3_600_000
  for (const scenario of SCENARIOS) {
    const moved = expectationOf(scenario, day).breaches.map((breach) => ({
      ...breach,
      startAt: new Date(Date.parse(breach.startAt) - day).toISOString(),
      endAt: breach.endAt && new Date(Date.parse(breach.endAt) - day).toISOString(),
      peakAt: new Date(Date.parse(breach.peakAt) - day).toISOString(),
      lastAt: new Date(Date.parse(breach.lastAt) - day).toISOString(),
    }))
    t.same(moved, expectationOf(scenario).breaches)
  }
})

test('whether a server refuses a time does not depend on the day it is played', async (t) => {
  for (const scenario of SCENARIOS) {
    const { messages, refused } = playScenario(scenario)
    const times = messages.flatMap(({ payload }) => [JSON.parse(payload)].flat().map(({ ts }) => Number(ts)))
    const never = times.filter((ts) => ts < Date.UTC(2020, 0, 1) || ts > Date.UTC(2040, 0, 1))
    const total = Object.values(refused).reduce((sum, count) => sum + count, 0)
    t.equal(never.length, total, scenario.name)
  }
})

test('duplicates: every reading comes several times, and counts once', async (t) => {
  const scenario = SCENARIOS.find(({ name }) => name === 'duplicates')
  if (!scenario) throw new Error('no scenario duplicates')
  const { messages, readings } = playScenario(scenario)
  const carried = messages.flatMap(({ payload }) => [JSON.parse(payload)].flat())
  t.ok(carried.length > 4 * readings.length, `${carried.length} for ${readings.length}`)
  t.equal(readings.length, 2 * 2 * 144)
})
