import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { openRabbitQueue, type RabbitQueueLimits } from '../../adapters/queue/rabbitmq.ts'
import type { Batch } from '../../domain/batch.ts'
import type { ConsumeOptions, Queue, QueueName } from '../../ports/queue.ts'
import { collect, makeBatch } from '../contracts/queue.ts'
import { waitFor } from '../wait-for.ts'

export const metrics = { count() {}, set() {}, observe() {} }
export const quick = { retryDelayMs: 2, retryDelayMsMax: 20, partitions: 2 }

interface Opening {
  readonly url: string
  readonly prefix: string
  readonly limits?: Partial<RabbitQueueLimits>
}

export async function open(t: Test, { url, prefix, limits }: Opening) {
  const queue = await openRabbitQueue({ url, prefix, metrics, limits: { ...quick, ...limits } })
  t.teardown(() => queue.close())
  return queue
}

/** One reading of each device, all at this time. */
export function sweepOf(devices: number, time: number): Batch {
  const readings = Array.from({ length: devices }, (_, device) => ({
    deviceId: `device-${device}`,
    sensor: 'main',
    time,
    values: { temperature: 4 },
  }))
  return { ...makeBatch(0, Date.now()), readings }
}

/** Notes what came, in order: times by device. */
export function follow(
  queue: Queue,
  name: QueueName,
  times: Map<string, number[]>,
  onGap?: ConsumeOptions['onGap'],
) {
  const own = new Set<string>()
  const handler = async (deliveries: readonly { readonly batch: Batch }[]) => {
    for (const { batch } of deliveries)
      for (const { deviceId, time } of batch.readings) {
        own.add(deviceId)
        times
          .set(deviceId, times.get(deviceId) ?? [])
          .get(deviceId)
          ?.push(time)
      }
    await sleep(1)
    return deliveries.map(() => 'done' as const)
  }
  const consumer = queue.consume(name, handler, { deliveriesMax: 8, ...(onGap && { onGap }) })
  return { own, ...consumer }
}

/** Without those that came again. */
export const firsts = (times: readonly number[]) => [...new Set(times)]

/** Publishes until it is told to stop; both queues are followed. */
export function startLoad(t: Test, queue: Queue, consumers: Queue = queue) {
  const confirmed: string[] = []
  const refused: string[] = []
  let slowestMs = 0
  const [store, judge] = [collect(consumers, 'store', 'done', 20), collect(consumers, 'judge', 'done', 20)]
  const life = { running: true }
  t.teardown(() => (life.running = false))
  const publishers = Array.from({ length: 8 }, async () => {
    while (life.running) {
      const batch = makeBatch(20)
      const startedAt = performance.now()
      await queue.publish(batch, ['store', 'judge']).then(
        () => confirmed.push(batch.id),
        () => refused.push(batch.id),
      )
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      await sleep(2)
    }
  })
  return {
    confirmed,
    refused,
    judge,
    /** The longest that a publish took since this was asked last. */
    slowestMs() {
      const ms = Math.round(slowestMs)
      slowestMs = 0
      return ms
    },
    async end() {
      life.running = false
      await Promise.all(publishers)
      const missing = () => {
        const seen = [new Set(store.seen), new Set(judge.seen)]
        return confirmed.filter((id) => seen.some((ids) => !ids.has(id)))
      }
      await waitFor(() => missing().length === 0, 'all that was confirmed to arrive', 60_000).catch(
        () => undefined,
      )
      t.same(missing(), [], `none of ${confirmed.length} is missing`)
      t.same(refused, [])
    },
  }
}

/** Waits until `count` more have been confirmed. */
export function more({ confirmed }: { readonly confirmed: readonly string[] }, count = 50) {
  const from = confirmed.length
  return waitFor(() => confirmed.length >= from + count, 'publishing to go on', 90_000)
}
