import type { Logger } from 'pino'
import { countOpenBreaches, findExpectedRate, keepAbsence, keepBeat } from '../db/queries/watch.ts'
import { listAbsences, listChecks, takeBeat } from '../db/queries/watch.ts'
import { inTransaction } from '../db/transaction.ts'
import type { Queue } from '../ports/queue.ts'
import { createArrivals, type Arrivals } from './watch-arrivals.ts'
import { openDue } from './watch-open.ts'
import { recoverOutages } from './watch-recover.ts'
import { settleDevice, type SettleDeps } from './watch-settle.ts'

export interface WatchSettings {
  /** How often to look. */
  readonly sweepEveryMs: number
  /** Devices that are remembered between two writes. */
  readonly devicesMax: number
  /** Devices whose readings are looked at again in one round, and rounds of devices that are due. */
  readonly checksMax: number
  readonly roundsMax: number
  /** When no watcher looked for so long, nobody listened. */
  readonly absentMsMin: number
  /** When nothing comes from anybody for so long, and this many messages were to be expected, it is our own fault: */
  readonly quietMsMin: number
  readonly quietMessagesMin: number
  /** from so many places at least, since one place may well be cut off as a whole; */
  readonly quietFacilitiesMin: number
  /** and for so long at most. */
  readonly quietMsMax: number
}

export const WATCH_DEFAULTS: WatchSettings = {
  sweepEveryMs: 5_000,
  devicesMax: 200_000,
  checksMax: 500,
  roundsMax: 20,
  absentMsMin: 120_000,
  quietMsMin: 300_000,
  quietMessagesMin: 10,
  quietFacilitiesMin: 3,
  quietMsMax: 7_200_000,
}

export interface WatchDeps extends SettleDeps {
  readonly queue: Queue
  readonly log: Logger
  readonly settings: Partial<WatchSettings>
}

export interface Watch extends Pick<Arrivals, 'note' | 'forgetDevices'> {
  /** Looks once at everything that is to be looked at by now. */
  sweep(): Promise<void>
}

/** What is not a function of one sensor's readings: silence, outages, clocks, calibration. See docs/alarms.md. */
export function createWatch(deps: WatchDeps): Watch {
  const settings = { ...WATCH_DEFAULTS, ...deps.settings }
  const { db, queue, metrics, clock } = deps
  const arrivals = createArrivals(db, settings.devicesMax)
  let after = ''
  const doneBefore = (name: 'store' | 'judge') => queue.pendingSince(name) ?? Infinity

  async function settleAll(): Promise<void> {
    const absences = await listAbsences(db)
    for (const row of await listChecks(db, doneBefore('store'), settings.checksMax))
      await settleDevice(deps, row, absences)
  }

  async function openAll(now: number): Promise<void> {
    // Of what waits in the queues we know nothing yet: it may be of the very devices that seem silent.
    const ref = Math.min(now, doneBefore('judge'), doneBefore('store'))
    const absences = await listAbsences(db)
    for (let round = 0; round < settings.roundsMax; round += 1)
      if (!(await openDue(deps, ref, absences, now))) return
  }

  async function sweep(): Promise<void> {
    const now = clock.now()
    await arrivals.flush()
    const isQuiet = await beat(deps, settings, now, arrivals.arrivedAt)
    await settleAll()
    if (!isQuiet) await openAll(now)
    after = await recoverOutages(deps, after)
    metrics.set('coldstream_devices_silent', {}, await countOpenBreaches(db, 'silence'))
    metrics.set('coldstream_outages_open', {}, await countOpenBreaches(db, 'site-outage'))
    metrics.set('coldstream_watch_quiet', {}, isQuiet ? 1 : 0)
  }

  return { note: arrivals.note, forgetDevices: arrivals.forgetDevices, sweep }
}

/**
 * Notes that somebody watches, and since when nobody did: time in which no watcher looked, or in which nothing came from anybody though much was
 * to be expected, is held against no device.
 * @returns whether it is so quiet that the fault is taken for our own
 */
async function beat(
  { db, log }: WatchDeps,
  settings: WatchSettings,
  now: number,
  heardAt: number,
): Promise<boolean> {
  const before = await inTransaction(db, async (trx) => {
    const last = await takeBeat(trx, now)
    if (last === undefined) return undefined
    if (now - last.at > settings.absentMsMin) await keepAbsence(trx, { from: last.at, to: now })
    const arrivedAt = Math.max(last.arrivedAt, heardAt)
    // A watcher that was away knows nothing of what came meanwhile.
    await keepBeat(
      trx,
      Math.max(now, last.at),
      now - last.at > settings.absentMsMin ? Math.max(arrivedAt, now) : arrivedAt,
    )
    return { arrivedAt, absentSince: last.arrivedAt }
  })
  if (before === undefined) return false
  const quietMs = now - before.arrivedAt
  if (quietMs < settings.quietMsMin || quietMs > settings.quietMsMax) return false
  const { perSecond, facilities } = await findExpectedRate(db)
  if (facilities < settings.quietFacilitiesMin || (quietMs / 1000) * perSecond < settings.quietMessagesMin)
    return false
  await inTransaction(db, (trx) => keepAbsence(trx, { from: before.arrivedAt, to: now }))
  log.error({ quietMs }, 'nothing comes in from anybody: nobody is called silent for it')
  return true
}

export interface RunningWatch extends Watch {
  ready(): string | undefined
  stop(): Promise<void>
}

/** Starts to sweep, one sweep at a time. */
export function startWatch(deps: WatchDeps): RunningWatch {
  const watch = createWatch(deps)
  const { sweepEveryMs } = { ...WATCH_DEFAULTS, ...deps.settings }
  let running: Promise<void> | undefined
  let problem: string | undefined
  const run = async () => {
    try {
      await watch.sweep()
      problem = undefined
    } catch (error) {
      problem = 'silences cannot be found: a store does not answer well'
      deps.log.error({ err: error }, 'watch: a sweep failed; trying again')
    }
    running = undefined
  }
  const unsubscribe = deps.cache.subscribe('registry', ({ deviceId }) =>
    watch.forgetDevices((id) => id === deviceId),
  )
  const timer = setInterval(() => (running ??= run()), sweepEveryMs)
  return {
    ...watch,
    ready: () => problem,
    async stop() {
      clearInterval(timer)
      unsubscribe()
      await running
    },
  }
}
