import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Api, metric, registerDevices, type Coldstream } from '../services/coldstream.ts'
import type { Distributed } from '../services/deployment.ts'
import { waitFor } from '../wait-for.ts'
import type { Fault } from './faults.ts'
import { CADENCE_MS } from './history.ts'
import type { Job, LoadReport } from './load.ts'
import { compareBreaches, compareReadings, type BreachOutcome, type ReadingOutcome } from './outcome.ts'

export interface Load {
  readonly devices: number
  readonly readingsPerSecond: number
  /** Before the fault begins, and after it has ended. */
  readonly beforeMs: number
  readonly afterMs: number
}

/** The load that the promises are tested under. */
export const STEADY_LOAD: Load = {
  devices: 500,
  readingsPerSecond: 5000,
  beforeMs: 8000,
  afterMs: 15_000,
}

/** What came of one fault. */
export interface Endured extends Omit<LoadReport, 'measured'> {
  readonly measured: number
  readonly readings: ReadingOutcome
  readonly breaches: BreachOutcome
  /** Batches that wait for a person. */
  readonly parked: number
  /** From the end of the fault until every process said that it is ready, and went on to say so. */
  readonly readyAfterMs: number
  /** From the last acknowledgement until everything was stored and judged. */
  readonly judgedAfterMs: number
}

const ACKNOWLEDGED_MS_MAX = 120_000
const JUDGED_MS_MAX = 240_000
const READY_MS_MAX = 60_000
// More than all that is measured in a run, so that no reading is of the future.
const EVENT_TIME_AGO_MS = 15 * 86_400_000

/** Whether nothing was lost, doubled or judged otherwise, and no hand had to be laid on anything. */
export function isSound({ measured, acknowledged, readings, breaches, parked }: Endured): boolean {
  const { lost, doubled, altered } = readings
  const { missing, unexpected } = breaches
  return (
    acknowledged >= measured && [lost, doubled, altered, missing, unexpected, parked].every((it) => it === 0)
  )
}

/**
 * Puts the load on the deployment, lets the fault happen in the middle of it, waits until all of it is acknowledged, stored and judged, and
 * compares what there is then with what there ought to be. The devices are new ones, so that the same deployment can be used again.
 */
export async function endure(
  deployment: Distributed,
  fault: Fault,
  load: Load = STEADY_LOAD,
): Promise<Endured> {
  const devices = await registerDevices(deployment.http, load.devices)
  const firstTime = Math.floor((Date.now() - EVENT_TIME_AGO_MS) / CADENCE_MS) * CADENCE_MS
  const generator = await startLoad({
    tokens: devices.map(({ accessToken }) => accessToken),
    brokerPorts: (deployment.processes.broker ?? []).map(({ mqttPort }) => mqttPort),
    readingsPerSecond: load.readingsPerSecond,
    firstTime,
  })
  const readiness = watchReadiness(deployment)
  try {
    await sleep(load.beforeMs)
    const end = await fault.begin(deployment)
    await sleep(fault.lastsMs).finally(end)
    const endedAt = performance.now()
    await sleep(load.afterMs)
    const { measured, ...report } = await generator.finish()
    const acknowledgedAt = performance.now()
    await queuesEmpty(deployment)
    const judgedAfterMs = performance.now() - acknowledgedAt
    await waitFor(() => readiness.isReady(), 'every process to be ready', READY_MS_MAX)
    const readyAfterMs = readiness.readyAfterMs(endedAt)
    const api = await Api.login(deployment.http)
    const history = { firstTime, devices, measured }
    return {
      ...report,
      measured: measured.reduce((sum, count) => sum + count, 0),
      readings: await compareReadings(deployment.seriesUrl, history),
      breaches: await compareBreaches(api, history),
      parked: await sumOf(deployment, 'coldstream_queue_parked'),
      readyAfterMs,
      judgedAfterMs,
    }
  } finally {
    readiness.stop()
    generator.end()
  }
}

/** The devices, in a process of their own; resolves when all are connected. */
async function startLoad(job: Job) {
  const child = fork(join(import.meta.dirname, 'load.ts'))
  const next = async () => ((await once(child, 'message')) as [LoadReport & { waiting: number }])[0]
  child.send({ job })
  await next()
  return {
    /** Measures nothing more; resolves when everything is acknowledged, or it takes too long. */
    async finish(): Promise<LoadReport> {
      child.send({ stop: true })
      const deadline = performance.now() + ACKNOWLEDGED_MS_MAX
      for (;;) {
        child.send({ report: true })
        const { waiting, ...report } = await next()
        if (waiting === 0 || performance.now() > deadline) return report
        await sleep(50)
      }
    },
    end: () => void child.kill('SIGKILL'),
  }
}

/** Asks every process all the time whether it is ready, from before the fault on. */
function watchReadiness({ processes }: Distributed) {
  const all = Object.values(processes).flat()
  const over = new AbortController()
  let readySince = Infinity
  const watch = async () => {
    while (!over.signal.aborted) {
      const ready = (await Promise.all(all.map(isReady))).every(Boolean)
      if (ready) readySince = Math.min(readySince, performance.now())
      else readySince = Infinity
      await sleep(200)
    }
  }
  void watch()
  return {
    isReady: () => readySince < Infinity,
    readyAfterMs: (endedAt: number) => Math.max(0, readySince - endedAt),
    stop: () => over.abort(),
  }
}

async function isReady({ http }: Coldstream): Promise<boolean> {
  return fetch(`${http}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function sumOf({ processes }: Distributed, name: string): Promise<number> {
  const asked = [...(processes.ingest ?? []), ...(processes.notifier ?? [])]
  const sums = await Promise.all(asked.map(({ http }) => metric(http, name)))
  return sums.reduce((sum, one) => sum + one, 0)
}

/** Nothing waits and nobody holds anything, according to every process, and for longer than they keep what they know of each other. */
async function queuesEmpty(deployment: Distributed): Promise<void> {
  let emptySince = Infinity
  await waitFor(
    async () => {
      const batches = await sumOf(deployment, 'coldstream_queue_batches').catch(() => NaN)
      if (batches !== 0) emptySince = Infinity
      else emptySince = Math.min(emptySince, performance.now())
      await sleep(100)
      return performance.now() - emptySince > 1500
    },
    'the queues to be empty',
    JUDGED_MS_MAX,
  )
}
