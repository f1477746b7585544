import { test } from 'tap'
import { DeviceError } from '../../simulators/device.ts'
import { runFleet, type FleetProgress } from '../../simulators/fleet.ts'
import { playScript } from '../../simulators/play.ts'
import { playScenario } from '../../simulators/scenario.ts'
import { SCENARIOS } from '../../simulators/scenarios/all.ts'
import { waitFor } from '../wait-for.ts'
import { startTestBroker, type TestBroker } from './broker.ts'

const HOUR_MS = 3_600_000
const members = ['one', 'two', 'three'].map((token, index) => ({
  name: token,
  token,
  refrigerator: { seed: index + 1 },
}))

function timesOf(broker: TestBroker, token: string): number[] {
  return broker.received
    .filter((message) => message.token === token)
    .map(({ payload }) => Number(JSON.parse(payload).ts))
}

test('a fleet sends every reading of the simulated time, each device at its own moments', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const startAt = Date.now() - 48 * HOUR_MS
  const end = await runFleet({
    url: broker.url,
    members,
    startAt,
    speed: 100_000,
    cadenceMs: 600_000,
    simulatedMs: 24 * HOUR_MS,
  })
  t.equal(end.acknowledged, end.sent)
  t.equal(end.pending, 0)
  const first = new Set<number>()
  for (const { token } of members) {
    const times = timesOf(broker, token)
    t.equal(times.length, 144)
    t.ok(times.every((time, index) => index === 0 || time - (times[index - 1] ?? 0) === 600_000))
    first.add(times[0] ?? 0)
  }
  t.equal(first.size, 3)
})

test('a device whose buffer is full falls behind and catches up: no reading is left out', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  await runFleet({
    url: broker.url,
    members: members.slice(0, 1),
    startAt: Date.now() - 48 * HOUR_MS,
    speed: 1e9,
    cadenceMs: 30_000,
    simulatedMs: 24 * HOUR_MS,
  })
  t.equal(new Set(timesOf(broker, 'one')).size, 2880)
})

test('simulated time that reaches now goes on in real time, at the live cadence, until the signal', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const seen: FleetProgress[] = []
  const running = runFleet({
    url: broker.url,
    members,
    startAt: Date.now() - 2 * HOUR_MS,
    speed: 50_000,
    cadenceMs: 60_000,
    liveCadenceMs: 100,
    signal: stop.signal,
    onProgress: (progress) => seen.push(progress),
  })
  await waitFor(() => timesOf(broker, 'two').length > 130, 'live readings')
  stop.abort()
  const end = await running
  t.equal(end.pending, 0)
  t.ok(seen.some(({ live }) => live))
  const times = timesOf(broker, 'two')
  t.equal(new Set(times).size, times.length)
  t.ok((times.at(-1) ?? Infinity) <= Date.now(), 'nothing from the future')
})

test('a fleet of refused tokens ends with an error', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const refused = members.map((member) => ({ ...member, token: 'bad' }))
  const options = { url: broker.url, members: refused, startAt: Date.now(), speed: 1, cadenceMs: 1000 }
  await t.rejects(runFleet(options), DeviceError)
})

test('a scenario is published whole, each device in its order', async (t) => {
  const broker = await startTestBroker()
  t.teardown(() => broker.close())
  const scenario = SCENARIOS.find(({ name }) => name === 'week-offline')
  if (!scenario) throw new Error('no scenario week-offline')
  const script = playScenario(scenario)
  const tokens = scenario.devices.map(({ name }) => name)
  const end = await playScript({ url: broker.url, tokens, script, speed: Infinity })
  t.equal(end.acknowledged, script.messages.length)
  for (const [index, token] of tokens.entries()) {
    t.same(
      broker.received.filter((message) => message.token === token).map(({ payload }) => payload),
      script.messages.filter(({ deviceIndex }) => deviceIndex === index).map(({ payload }) => payload),
    )
  }
})
