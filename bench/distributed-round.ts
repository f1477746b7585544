import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'
import { metric, registerDevices, type Coldstream } from '../test/services/coldstream.ts'
import { startDistributed, type Distributed } from '../test/services/deployment.ts'
import { portFor } from '../test/services/place.ts'
import { startRabbitmq } from '../test/services/rabbitmq.ts'
import { cpuSecondsByName } from './cpu.ts'
import { load, mean, profiling, startBareAedes, type LoadResult } from './harness.ts'

/** The same for all that are compared. */
export interface Load {
  readonly devices: number
  /** Unacknowledged packets per connection. */
  readonly window: number
  readonly seconds: number
  /** Readings a second in the paced run. */
  readonly pace: number
}

export interface Round {
  readonly bare: LoadResult
  readonly plugin: LoadResult
  /** Into the queues, from which nobody takes meanwhile, as nobody takes from that of the plugin. */
  readonly ours: LoadResult
  /** The same with everything at work, until the last reading is stored and judged. */
  readonly endToEnd: number
  readonly paced: Paced
}

/** At a steady rate. */
export interface Paced {
  readonly acknowledged: LoadResult
  /** Stored and judged, a second. */
  readonly finished: number
  /** By how much more readings were accepted and not finished at the end, a second. */
  readonly growth: number
  /** Processor time for one reading, by process. */
  readonly cpuMicroseconds: ReadonlyMap<string, number>
}

/** One after the other, each alone on the machine beside its load generator. */
export async function measureRound(work: Load): Promise<Round> {
  const bare = await measureBare(work)
  say('bare Aedes', bare)
  const plugin = await measurePlugin(work)
  say("RabbitMQ's MQTT plugin", plugin)
  return { bare, plugin, ...(await measureOurs(work)) }
}

export function acksPerSecond({ acked, seconds }: LoadResult): number {
  return acked / seconds
}

function say(name: string, result: LoadResult): void {
  const { p50Ms, p99Ms } = result
  console.error(
    `${name}: ${acksPerSecond(result).toFixed(0)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
  )
}

async function measureBare({ devices, window, seconds }: Load): Promise<LoadResult> {
  const aedes = await startBareAedes()
  try {
    const names = Array.from({ length: devices }, (_, i) => `device-${i}`)
    return await load(aedes.mqttPort, names, { seconds, window })
  } finally {
    await aedes.stop()
  }
}

const PLUGIN_USER = 'guest'

/** Its PUBACK says that a quorum queue has confirmed: there is nothing else that takes the messages. */
async function measurePlugin({ devices, window, seconds }: Load): Promise<LoadResult> {
  const mqttPort = await portFor({})
  const server = await startRabbitmq({ mqttPort })
  try {
    const connection = await connect(server.url)
    const channel = await connection.createChannel()
    await channel.assertQueue('readings', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.bindQueue('readings', 'amq.topic', '#')
    const users = Array.from({ length: devices }, () => PLUGIN_USER)
    const result = await load(mqttPort, users, { seconds, window, password: PLUGIN_USER })
    const { messageCount } = await channel.checkQueue('readings')
    if (messageCount < result.acked)
      throw new Error(`${result.acked} were acknowledged, ${messageCount} are in the queue`)
    await connection.close()
    return result
  } finally {
    await server.stop()
  }
}

async function measureOurs(work: Load): Promise<Omit<Round, 'bare' | 'plugin'>> {
  const deployment = await startDistributed(profiling())
  try {
    const tokens = (await registerDevices(deployment.http, work.devices)).map(
      ({ accessToken }) => accessToken,
    )
    const ours = await measureAcks(deployment, tokens, work)
    say('Coldstream', ours)
    const endToEnd = await measureFull(deployment, tokens, work)
    const paced = await measurePaced(deployment, tokens, work)
    say(`at ${work.pace}/s`, paced.acknowledged)
    const cpu = [...paced.cpuMicroseconds].map(([name, us]) => `${name} ${us.toFixed(1)}`)
    console.error(
      `end to end ${endToEnd.toFixed(0)}/s; paced: finished ${paced.finished.toFixed(0)}/s, backlog ${paced.growth.toFixed(0)}/s, µs ${cpu.join(', ')}`,
    )
    return { ours, endToEnd, paced }
  } finally {
    await deployment.stop()
  }
}

const HOUR_MS = 3_600_000
/** Each run sends what is later than all that was sent before, as devices do. */
const BEGINS_MS_AGO = { acks: 24 * HOUR_MS, full: 18 * HOUR_MS, paced: 12 * HOUR_MS }

/** With the judge and the series store stopped: what is acknowledged lies in quorum queues, and nothing else is done with it. */
async function measureAcks(deployment: Distributed, tokens: readonly string[], work: Load) {
  const takers = [...(deployment.processes['notifier'] ?? []), ...deployment.servers.series]
  const result = await load(deployment.mqttPort, tokens, {
    ...work,
    firstTime: Date.now() - BEGINS_MS_AGO.acks,
    async warm() {
      await drained(deployment)
      for (const taker of takers) taker.pause()
    },
  })
  for (const taker of takers) taker.resume()
  await drained(deployment)
  return result
}

async function measureFull(deployment: Distributed, tokens: readonly string[], work: Load): Promise<number> {
  let before = 0
  let startedAt = 0
  await load(deployment.mqttPort, tokens, {
    ...work,
    firstTime: Date.now() - BEGINS_MS_AGO.full,
    async warm() {
      before = await drained(deployment)
      startedAt = performance.now()
    },
  })
  const total = (await drained(deployment)) - before
  return (total * 1000) / (performance.now() - startedAt)
}

/** Readings that a device hands over at once. */
const BURST = 10
const SAMPLE_EVERY_MS = 100
/** Until what is under way, which the series store holds up for a second or two, is as much as it will be. */
const SETTLE_MS = 5000

async function measurePaced(deployment: Distributed, tokens: readonly string[], work: Load): Promise<Paced> {
  const { window, pace } = work
  const seconds = work.seconds + SETTLE_MS / 1000
  const names = namesOf(deployment)
  const begun = Promise.withResolvers<void>()
  const loading = load(deployment.mqttPort, tokens, {
    seconds,
    window,
    ratePerSecond: pace,
    burst: BURST,
    firstTime: Date.now() - BEGINS_MS_AGO.paced,
    async warm() {
      await drained(deployment)
      begun.resolve()
    },
  })
  await Promise.race([begun.promise, loading])
  const endsAt = performance.now() + seconds * 1000
  await sleep(SETTLE_MS)
  const before = cpuSecondsByName(names)
  const samples: Counts[] = []
  while (performance.now() < endsAt) {
    samples.push(await counts(deployment))
    await sleep(SAMPLE_EVERY_MS)
  }
  const after = cpuSecondsByName(names)
  const acknowledged = await loading
  await drained(deployment)
  const accepted = (samples.at(-1)?.accepted ?? 0) - (samples[0]?.accepted ?? 0)
  const cpu = [...after].map(([name, used]): [string, number] => [
    name,
    ((used - (before.get(name) ?? 0)) / accepted) * 1e6,
  ])
  return { acknowledged, ...flowOf(samples), cpuMicroseconds: new Map(cpu) }
}

/** What the series store does not have on disk yet comes and goes with each of its flushes, so that means of many samples are compared. */
function flowOf(samples: readonly Counts[]): Pick<Paced, 'finished' | 'growth'> {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last) throw new Error('no samples')
  const seconds = (last.at - first.at) / 1000
  const middle = Math.floor(samples.length / 2)
  const backlog = (some: readonly Counts[]) => mean(some.map(({ accepted, finished }) => accepted - finished))
  const growth = (backlog(samples.slice(middle)) - backlog(samples.slice(0, middle))) / (seconds / 2)
  return { finished: (last.finished - first.finished) / seconds, growth }
}

interface Counts {
  readonly at: number
  readonly accepted: number
  /** Stored and judged. */
  readonly finished: number
}

async function counts({ processes }: Distributed): Promise<Counts> {
  const [ingest, notifier] = [one(processes['ingest']), one(processes['notifier'])]
  const at = performance.now()
  const [accepted, stored, judged] = await Promise.all([
    metric(ingest.http, 'coldstream_readings_accepted_total'),
    metric(ingest.http, 'coldstream_readings_stored_total'),
    metric(notifier.http, 'coldstream_readings_judged_total'),
  ])
  return { at, accepted, finished: Math.min(stored, judged) }
}

function one(copies: readonly Coldstream[] = []): Coldstream {
  const [copy] = copies
  if (!copy || copies.length > 1) throw new Error('one process for each part is measured')
  return copy
}

function namesOf({ processes }: Distributed): ReadonlyMap<number, string> {
  return new Map(Object.entries(processes).map(([part, copies]) => [one(copies).pid, part]))
}

/** Waits until every accepted reading is stored and judged; returns how many. */
async function drained(deployment: Distributed): Promise<number> {
  for (;;) {
    const { accepted, finished } = await counts(deployment)
    if (accepted > 0 && finished >= accepted) return accepted
    await sleep(SAMPLE_EVERY_MS)
  }
}
