import assert from 'node:assert/strict'
import type { Logger } from 'pino'
import { listDue } from '../db/queries/notification.ts'
import type { Db, NotificationTable } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import type { Tracer } from '../ports/trace.ts'
import { expandChanges } from './expand.ts'
import { attempt } from './send.ts'
import { createSweep } from './sweep.ts'
import { expandTestMessages } from './test-messages.ts'

/** Every limit and period of telling people. Times in milliseconds of the wall clock. */
export interface TellSettings {
  /** How often to look for work that no hint announced. */
  readonly pollMs: number
  /** A breach whose last reading out of range was older than this when it was recorded is history: nobody is woken for it. */
  readonly notifyAgeMsMax: number
  /** Between reminders of an open breach that nobody acknowledged; 0: none. */
  readonly reminderEveryMs: number
  /** Reminders of one breach to one receiver. */
  readonly remindersMax: number
  /** Messages on their way at once, in all and to one destination. */
  readonly sendsMax: number
  readonly sendsPerDestinationMax: number
  /** Longest time for one attempt. */
  readonly attemptTimeoutMs: number
  /** How long a claim holds when its notifier dies; longer than an attempt. */
  readonly leaseMs: number
  /** Back-off after the first failed attempt, doubling up to the greatest. */
  readonly retryDelayMs: number
  readonly retryDelayMsMax: number
  /** Age of a notification at which it is not tried again. */
  readonly giveUpAfterMs: number
  /** Changes, and reminders, looked at in one round. */
  readonly changesPerRoundMax: number
  /** How long `stop` waits for messages on their way. */
  readonly stopTimeoutMs: number
}

export const TELL_DEFAULTS: TellSettings = {
  pollMs: 1_000,
  notifyAgeMsMax: 86_400_000,
  reminderEveryMs: 14_400_000,
  remindersMax: 12,
  sendsMax: 8,
  sendsPerDestinationMax: 2,
  attemptTimeoutMs: 10_000,
  leaseMs: 30_000,
  retryDelayMs: 5_000,
  retryDelayMsMax: 300_000,
  giveUpAfterMs: 86_400_000,
  changesPerRoundMax: 200,
  stopTimeoutMs: 12_000,
}

export interface TellDeps {
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly channels: readonly NoticeChannel[]
  readonly tracer?: Tracer | undefined
  readonly settings: TellSettings
}

export interface Tell {
  /** Undefined when it works, else why not. Receivers that are down are no reason. */
  ready(): Promise<string | undefined>
  /** Takes nothing new and waits for what is on its way, no longer than `stopTimeoutMs`. */
  stop(): Promise<void>
}

/** Starts telling people: breach changes become notifications, and notifications are sent until they are taken. */
export async function startTell(deps: TellDeps): Promise<Tell> {
  const { settings } = deps
  assert(settings.leaseMs > settings.attemptTimeoutMs, 'a claim must outlast an attempt')
  const sender = createSender(deps, () => sending.wake())
  const sweep = createSweep(deps)
  const sending = createRound(sender.fill, deps.log)
  // Each by itself: what was just found does not wait for what is being sent, nor for what is looked through now and then.
  const expanding = createRound(async () => {
    while (await expandChanges(deps).finally(sending.wake));
    await expandTestMessages(deps)
    sending.wake()
  }, deps.log)
  const sweeping = createRound(() => sweep().finally(sending.wake), deps.log)
  const rounds = [expanding, sweeping, sending]
  const wake = () => rounds.forEach((round) => round.wake())
  const unsubscribe = deps.cache.subscribe('breaches', expanding.wake, expanding.wake)
  const timer = setInterval(wake, settings.pollMs)
  wake()
  return {
    ready: async () => (rounds.some((round) => round.isFailing()) ? PROBLEM : undefined),
    async stop() {
      clearInterval(timer)
      unsubscribe()
      await Promise.all(rounds.map((round) => round.stop()))
      await sender.settle(settings.stopTimeoutMs)
    },
  }
}

const PROBLEM = 'notifications cannot be made or sent: the database does not answer well'

/** Works when woken, one run at a time; a wake during a run makes another one. */
function createRound(work: () => Promise<void>, log: Logger) {
  const state = { isWanted: false, isStopped: false }
  let running: Promise<void> | undefined
  let isFailing = false

  async function run(): Promise<void> {
    while (state.isWanted && !state.isStopped) {
      state.isWanted = false
      try {
        await work()
        isFailing = false
      } catch (error) {
        isFailing = true
        log.error({ err: error }, 'telling people failed; trying again')
      }
    }
    running = undefined
  }

  return {
    wake() {
      state.isWanted = true
      if (!state.isStopped) running ??= run()
    },
    isFailing: () => isFailing,
    async stop() {
      state.isStopped = true
      await running
    },
  }
}

/** Sends what is due, within the bounds. `onDone` is called when there is room for another one. */
function createSender(deps: TellDeps, onDone: () => void) {
  const { sendsMax, sendsPerDestinationMax } = deps.settings
  const underway = new Map<string, { readonly destination: string; readonly done: Promise<void> }>()
  // Whoever was served last comes last, so that slow destinations with much to take cannot keep all the room for themselves.
  const turns = [...deps.channels]

  function roomFor(destination: string): number {
    const here = underway.values().filter((one) => one.destination === destination)
    return Math.min(sendsMax - underway.size, sendsPerDestinationMax - [...here].length)
  }

  async function send(channel: NoticeChannel, row: NotificationTable): Promise<void> {
    try {
      await attempt(deps, channel, row)
      underway.delete(row.id)
      onDone()
    } catch (error) {
      // No call of `onDone`: while the database fails, the pace is that of the timer.
      underway.delete(row.id)
      deps.log.error(
        { err: error, notificationId: row.id },
        'an attempt could not be kept; trying again later',
      )
    }
  }

  async function fillChannel(channel: NoticeChannel): Promise<void> {
    const { destination } = channel
    if (roomFor(destination) <= 0) return
    const due = await listDue(deps.db, destination, deps.clock.now(), sendsMax)
    const rows = due.filter((row) => !underway.has(row.id)).slice(0, roomFor(destination))
    if (rows.length > 0) turns.push(...turns.splice(turns.indexOf(channel), 1))
    for (const row of rows) underway.set(row.id, { destination, done: send(channel, row) })
  }

  return {
    async fill() {
      const order = turns.slice()
      for (const channel of order) await fillChannel(channel)
    },
    async settle(timeoutMs: number) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, timeoutMs)
      await Promise.race([Promise.all([...underway.values()].map((one) => one.done)), promise])
      clearTimeout(timer)
    },
  }
}
