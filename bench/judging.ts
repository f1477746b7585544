import { randomUUIDv7 } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { insertBreach } from '../db/queries/breach.ts'
import { findPlacements } from '../db/queries/placement.ts'
import type { Reading } from '../domain/reading.ts'
import { openWorld, type TestWorld } from '../test/notifier/judge-world.ts'
import { mean, median } from './harness.ts'
import type { Report } from './report.ts'

const DAY_MS = 86_400_000
const CADENCE_MS = 600_000
const DEVICES = 4
const CLOSED_BREACHES = 5000
const IN_ORDER = Number(process.env.BENCH_READINGS ?? 40_000)
const BATCH = 500
const HISTORY_BATCH = 20_000
const LATE = 60
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
/** Shipping rules: two that add up over ten days, and one that does not. */
const PROFILE = 'shipping-type-2'

interface Round {
  /** Of one reading, microseconds, queue and store included. */
  readonly inOrder: number
  /** Of one reading that is judged over a window because nothing is remembered of its sensor, milliseconds. */
  readonly window: number
}

interface Measured {
  readonly day: Round
  /** As much as the rules look back on, and more. */
  readonly months: Round
  readonly years: Round
  readonly closed: Round
}

/**
 * What judging one reading costs with a day of history, with two years of it, and with thousands of breaches that are over. The same devices and rules, on
 * the embedded stores.
 */
export async function benchJudging(): Promise<Report> {
  const rounds: Measured[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const day = await measure(1, 0)
    const months = await measure(60, 0)
    const years = await measure(730, 0)
    const closed = await measure(1, CLOSED_BREACHES)
    rounds.push({ day, months, years, closed })
    console.error(`round ${i + 1} of ${ROUNDS}: ${JSON.stringify(rounds.at(-1))}`)
  }
  const figure = (
    name: string,
    history: keyof Measured,
    path: keyof Round,
    unit: string,
    against: keyof Measured = 'day',
  ) => ({
    name,
    unit,
    values: rounds.map((round) => round[history][path]),
    ratio: rounds.map((round) => round[history][path] / round[against][path]),
  })
  const figures = [
    figure('in order, a day of history', 'day', 'inOrder', 'µs'),
    figure('in order, two years of history', 'years', 'inOrder', 'µs'),
    figure(`in order, ${CLOSED_BREACHES} breaches that are over`, 'closed', 'inOrder', 'µs'),
    figure('over a window, a day of history', 'day', 'window', 'ms'),
    figure('over a window, 60 days of history', 'months', 'window', 'ms'),
    figure('over a window, two years of history, against 60 days', 'years', 'window', 'ms', 'months'),
    figure(`over a window, ${CLOSED_BREACHES} breaches that are over`, 'closed', 'window', 'ms'),
  ]
  return {
    name: 'judging',
    title: `Judging one reading, ${DEVICES} devices with the rules of ${PROFILE}`,
    baseline: 'a day of history',
    figures,
    passes: [...figures.slice(0, 3), ...figures.slice(5, 6)].every(({ ratio }) => median(ratio) < 1.25),
    target:
      'neither history beyond what the rules look back on nor breaches that are over cost a quarter more',
  }
}

async function measure(days: number, closedBreaches: number): Promise<Round> {
  const world = await openWorld({}, [])
  try {
    const devices: string[] = []
    for (let i = 0; i < DEVICES; i++) devices.push(await world.addDevice(PROFILE))
    const now = Math.floor(Date.now() / CADENCE_MS) * CADENCE_MS
    for (const deviceId of devices) {
      await plantHistory(world, deviceId, now - days * DAY_MS, now)
      await plantBreaches(world, deviceId, now, closedBreaches / DEVICES)
    }
    const window = await measureWindows(world, devices, now)
    return { window, inOrder: await measureInOrder(world, devices, now + LATE * CADENCE_MS) }
  } finally {
    await world.close()
  }
}

/** A chamber that is mild for half an hour, twice a day: that adds up, but to no breach. */
function celsius(time: number): number {
  return Math.round(100 * (6 + 4.05 * Math.sin((2 * Math.PI * time) / (DAY_MS / 2)))) / 100
}

function reading(deviceId: string, time: number): Reading {
  return { deviceId, sensor: 'main', time, values: { temperature: celsius(time) } }
}

async function plantHistory(world: TestWorld, deviceId: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += HISTORY_BATCH * CADENCE_MS) {
    const count = Math.min(HISTORY_BATCH, Math.round((to - at) / CADENCE_MS))
    await world.series.write(Array.from({ length: count }, (_, i) => reading(deviceId, at + i * CADENCE_MS)))
  }
}

async function plantBreaches(
  world: TestWorld,
  deviceId: string,
  before: number,
  count: number,
): Promise<void> {
  const placement = (await findPlacements(world.db, [deviceId])).get(deviceId)
  await world.db.transaction().execute(async (trx) => {
    for (let i = 1; i <= count; i++) {
      const startAt = before - 30 * DAY_MS - i * CADENCE_MS
      await insertBreach(trx, {
        id: randomUUIDv7(),
        deviceId,
        sensor: 'main',
        ruleId: 'shipping-type-2-hot',
        equipmentId: placement?.equipmentId ?? null,
        facilityId: placement?.facilityId ?? null,
        state: 'ended',
        severity: 'critical',
        startAt,
        endAt: startAt + 1,
        peak: 45,
        peakAt: startAt,
        lastAt: startAt,
        readings: 1,
        acknowledgedAt: null,
        closedAt: null,
        closedBy: null,
        closeReason: null,
        closeComment: null,
        outageId: null,
        cause: null,
        recordedAt: 0,
        updatedAt: 0,
      })
    }
  })
}

async function measureWindows(world: TestWorld, devices: readonly string[], from: number): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < LATE; i++) {
    world.tellGap(() => true)
    took.push(
      await judged(
        world,
        'window',
        devices.map((deviceId) => reading(deviceId, from + i * CADENCE_MS)),
      ),
    )
    // Not measured: what was judged is not done with before the queue has written that down.
    await world.settle()
  }
  return median(took) / devices.length
}

async function measureInOrder(world: TestWorld, devices: readonly string[], from: number): Promise<number> {
  const took: number[] = []
  const each = BATCH / devices.length
  for (let sent = 0; sent < IN_ORDER; sent += BATCH) {
    const at = from + (sent / devices.length) * CADENCE_MS
    const readings = devices.flatMap((deviceId) =>
      Array.from({ length: each }, (_, i) => reading(deviceId, at + i * CADENCE_MS)),
    )
    took.push(await judged(world, 'in-order', readings))
  }
  return (mean(took) / BATCH) * 1000
}

/** How long it takes until the readings are judged, milliseconds. */
async function judged(
  world: TestWorld,
  path: 'in-order' | 'window',
  readings: readonly Reading[],
): Promise<number> {
  const target = world.judged(path) + readings.length
  const startedAt = performance.now()
  await world.publish(readings)
  while (world.judged(path) < target) await nextTurn()
  return performance.now() - startedAt
}
