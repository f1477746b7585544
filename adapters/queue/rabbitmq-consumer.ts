import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Metrics } from '../../ports/metrics.ts'
import type { Delivery, Verdict } from '../../ports/queue.ts'
import { finish, take, type Inbox, type Item, type LocalConsumer } from './rabbitmq-inbox.ts'
import type { RabbitQueueLimits } from './rabbitmq-limits.ts'
import { again, decode, parkedOf } from './rabbitmq-message.ts'
import type { Outbox } from './rabbitmq-outbox.ts'
import { isPartitioned, type Topology } from './rabbitmq-topology.ts'

/** What consumers need from the queue around them. */
export interface ConsumerDesk {
  readonly limits: RabbitQueueLimits
  readonly metrics: Metrics
  readonly log: Pick<Logger, 'warn'> | undefined
  readonly outbox: Outbox
  readonly topology: Topology
  /** Tells whoever judges that somebody else may have had deliveries meanwhile, when that is so. */
  tellGap(): void
}

/** Hands what the inbox has to the handler, until the consumer is stopped. */
export async function serve(desk: ConsumerDesk, inbox: Inbox, consumer: LocalConsumer): Promise<void> {
  while (!consumer.stopped) {
    const items = take(inbox, consumer.options.deliveriesMax)
    if (items.length === 0) {
      await new Promise<void>((resolve) => inbox.idle.push(resolve))
      continue
    }
    if (isPartitioned(inbox.queue)) desk.tellGap()
    await handle(desk, inbox, consumer, items)
  }
}

async function handle(desk: ConsumerDesk, inbox: Inbox, { handler }: LocalConsumer, items: readonly Item[]) {
  const handed: Item[] = []
  const deliveries: Delivery[] = []
  for (const item of items) {
    const batch = decode(item.message)
    if (batch === undefined) carryOut(desk, inbox, item, 'drop', 'it is not a batch')
    else {
      handed.push(item)
      deliveries.push({ batch, attempt: item.attempts + 1 })
    }
  }
  if (handed.length === 0) return
  try {
    // Called from a turn of its own: a handler that works synchronously must not hold up the reading of the socket's answers.
    await undefined
    const verdicts = await handler(deliveries)
    handed.forEach((item, index) =>
      carryOut(desk, inbox, item, verdicts[index] ?? 'retry', 'the handler asked for it'),
    )
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    for (const item of handed) carryOut(desk, inbox, item, 'retry', reason)
  }
}

// Goes on in the background: a back-off holds nobody up. `finish` is called at its end in any case.
function carryOut(desk: ConsumerDesk, inbox: Inbox, item: Item, verdict: Verdict, error: string): void {
  if (verdict === 'done') return acknowledge(inbox, item)
  const attempts = item.attempts + 1
  const over = verdict === 'drop' || attempts >= desk.limits.triesMax
  void (over ? park(desk, inbox, item, attempts, error) : retry(desk, inbox, item, attempts))
}

function acknowledge(inbox: Inbox, item: Item): void {
  const { sub, message } = item
  if (sub.phase !== 'lost') sub.channel.ack(message)
  finish(inbox, item, 'done')
}

async function park(desk: ConsumerDesk, inbox: Inbox, item: Item, attempts: number, error: string) {
  const { outbox, topology, log, limits } = desk
  const { queue } = inbox
  const parked = parkedOf(item.message, attempts, error)
  const sent = await outbox.send(topology.parked[queue], parked, false).catch(() => 'refused')
  if (sent !== 'kept') return retry(desk, inbox, item, Math.max(attempts, limits.triesMax))
  log?.warn(
    { queue, attempts, error, message: item.message.properties.messageId },
    'queue: a batch was parked',
  )
  acknowledge(inbox, item)
}

/** It goes to the end of its queue, with the number of its tries, before it is acknowledged at the front: twice rather than never. */
async function retry(desk: ConsumerDesk, inbox: Inbox, item: Item, attempts: number): Promise<void> {
  desk.metrics.count('coldstream_queue_retries_total', { queue: inbox.queue })
  await backOff(desk.limits, inbox, item, attempts)
  const { sub, message } = item
  // RabbitMQ has given it to somebody already.
  if (sub.phase === 'lost') return finish(inbox, item, 'returned')
  const sent = await desk.outbox.send(sub.name, again(message, attempts), false).catch(() => 'refused')
  if (sent !== 'kept') giveBack(item)
  else if (isLost(item)) return finish(inbox, item, 'returned')
  else sub.channel.ack(message)
  finish(inbox, item, 'returned')
}

const isLost = ({ sub }: Item): boolean => sub.phase === 'lost'

// Without room at the end of the queue: waiting for that while holding a place of the prefetch could wait for itself.
function giveBack(item: Item): void {
  if (!isLost(item)) item.sub.channel.nack(item.message, false, true)
}

async function backOff(limits: RabbitQueueLimits, inbox: Inbox, item: Item, attempts: number): Promise<void> {
  // The exponent is capped before the power: attempts grow without bound when parking has no room left.
  const delayMs = Math.min(limits.retryDelayMsMax, limits.retryDelayMs * 2 ** Math.min(attempts - 1, 30))
  if (item.sub.phase !== 'open') return
  const wait = new AbortController()
  inbox.backingOff.set(item, () => wait.abort())
  endOldest(inbox)
  await sleep(delayMs, undefined, { signal: wait.signal }).catch(() => undefined)
  inbox.backingOff.delete(item)
}

// Those that wait keep places of the prefetch: at most half of them, so that others pass.
function endOldest({ backingOff, consumers }: Inbox): void {
  let placesMax = 0
  for (const { options } of consumers) placesMax += options.deliveriesMax
  const [oldest] = backingOff.values()
  if (backingOff.size > placesMax) oldest?.()
}

/** Ends the waits of what came over this subscription, which is about to be given up. */
export function endBackOffs(inbox: Inbox, sub: Item['sub']): void {
  for (const [item, end] of inbox.backingOff) if (item.sub === sub) end()
}
