import type { ConfirmChannel } from 'amqplib'
import { CodedError } from '../../domain/errors.ts'
import { notFound } from './rabbitmq-link.ts'
import type { Outgoing } from './rabbitmq-message.ts'

/** `refused`: the queue is full, or was lost; only for messages that do not wait for room. */
export type Sent = 'kept' | 'refused'

interface Entry extends Outgoing {
  /** Order of sending. */
  readonly seq: number
  readonly since: number
  /** Waits while the queue is full; else it is refused then. */
  readonly waits: boolean
  sentAt: number
  returned: boolean
  settled: boolean
  resolve(sent: Sent): void
  reject(error: Error): void
}

/** What is on its way to one queue. */
interface Lane {
  readonly queue: string
  readonly waiting: Entry[]
  readonly unconfirmed: Map<number, Entry>
  /** How many may be unconfirmed at once: few after a refusal, so that those behind do not overtake. */
  window: number
  pressed: boolean
  delayMs: number
  timer: NodeJS.Timeout | undefined
  /** When RabbitMQ last answered anything. */
  answeredAt: number
  /** When it last kept something, or something came after nothing, or another channel was taken. */
  keptAt: number
  /** Refusals for so long, and another channel is tried; grows while that does not help. */
  refusedMs: number
}

const WINDOW_START = 16
const WINDOW_MAX = 4096
const PRESSED_DELAY_MS = 20
const PRESSED_DELAY_MS_MAX = 1000
const SWEEP_MS = 250
const STALL_MS = 3000
const REFUSED_MS = 2000
const REFUSED_MS_MAX = 30_000

export interface OutboxOptions {
  readonly exchange: string
  readonly timeoutMs: number
  /** This connection is of no use any more: a queue is missing, or does not confirm. */
  fail(error: Error): void
  /** This channel may be of no use any more: another one is to be attached. */
  renew(): void
}

/** Sends messages with publisher confirms, in order for each queue; what was not confirmed when the connection was lost is sent again over the next one. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #sweeper: NodeJS.Timeout
  #channel: ConfirmChannel | undefined
  #seq = 0
  #refusing: CodedError | undefined
  /** Silence of a queue after which the connection is given up; grows while that does not help. */
  #stallMs = STALL_MS
  /** Why RabbitMQ takes nothing: an alarm. */
  #blocked: string | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeper.unref()
  }

  get blocked(): string | undefined {
    return this.#blocked
  }

  set blocked(reason: string | undefined) {
    this.#blocked = reason
    if (reason === undefined) this.#pumpAll()
  }

  /** Takes up sending over this channel, also instead of another one. */
  attach(channel: ConfirmChannel): void {
    this.detach()
    this.#channel = channel
    channel.on('return', ({ properties, fields }) => {
      const entry = this.#lanes.get(fields.routingKey)?.unconfirmed.get(Number(properties.correlationId))
      if (entry) entry.returned = true
      this.#options.fail(notFound(fields.routingKey))
    })
    this.#pumpAll()
  }

  /** The channel is gone, and with it all confirms that were awaited. */
  detach(): void {
    this.#channel = undefined
    for (const lane of this.#lanes.values()) {
      lane.waiting.unshift(...lane.unconfirmed.values())
      lane.waiting.sort((a, b) => a.seq - b.seq)
      lane.unconfirmed.clear()
      lane.window = WINDOW_START
      this.#press(lane, false)
    }
  }

  /**
   * Resolves with `kept` once a majority of the nodes has the message on disk.
   * @param waits while the queue is full; otherwise `refused` comes at once
   * @throws CodedError `service.unavailable` when RabbitMQ gives no answer in time, or the outbox is closed; the message may have been kept
   */
  send(queue: string, { body, options }: Outgoing, waits: boolean): Promise<Sent> {
    const lane = this.#laneOf(queue)
    if (!waits && lane.pressed) return Promise.resolve('refused')
    const { promise, resolve, reject } = Promise.withResolvers<Sent>()
    const seq = (this.#seq += 1)
    const entry: Entry = {
      seq,
      since: performance.now(),
      waits,
      sentAt: Infinity,
      returned: false,
      settled: false,
      body,
      options: { ...options, correlationId: String(seq) },
      resolve,
      reject,
    }
    if (lane.waiting.length === 0 && lane.unconfirmed.size === 0) lane.keptAt = entry.since
    lane.waiting.push(entry)
    this.#pump(lane)
    if (this.#refusing && lane.waiting.includes(entry)) this.#reject(lane, entry, this.#refusing)
    return promise
  }

  /** Those who wait are rejected; what can be sent at once still is. */
  stopWaiting(): void {
    this.#refusing = new CodedError('service.unavailable', 'the queue is closed')
    for (const lane of this.#lanes.values())
      for (let entry = lane.waiting[0]; entry; entry = lane.waiting[0])
        this.#reject(lane, entry, this.#refusing)
  }

  /** Resolves when everything sent has been answered, or rejected for want of an answer. */
  async close(timeoutMs: number): Promise<void> {
    this.stopWaiting()
    const deadline = performance.now() + timeoutMs
    const lanes = [...this.#lanes.values()]
    while (lanes.some(({ unconfirmed }) => unconfirmed.size > 0) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5))
    clearInterval(this.#sweeper)
    for (const lane of lanes) {
      clearTimeout(lane.timer)
      for (const entry of lane.unconfirmed.values())
        this.#reject(lane, entry, new CodedError('service.unavailable', 'closed before RabbitMQ confirmed'))
    }
  }

  #laneOf(queue: string): Lane {
    let lane = this.#lanes.get(queue)
    if (lane) return lane
    lane = {
      queue,
      waiting: [],
      unconfirmed: new Map(),
      window: WINDOW_START,
      pressed: false,
      delayMs: PRESSED_DELAY_MS,
      timer: undefined,
      answeredAt: -Infinity,
      keptAt: -Infinity,
      refusedMs: REFUSED_MS,
    }
    this.#lanes.set(queue, lane)
    return lane
  }

  #pumpAll(): void {
    for (const lane of this.#lanes.values()) this.#pump(lane)
  }

  #pump(lane: Lane): void {
    while (!lane.pressed && lane.unconfirmed.size < lane.window) {
      const channel = this.#channel
      const entry = channel && this.#blocked === undefined ? lane.waiting.shift() : undefined
      if (!channel || !entry) return
      lane.unconfirmed.set(entry.seq, entry)
      entry.sentAt = performance.now()
      try {
        channel.publish(this.#options.exchange, lane.queue, entry.body, entry.options, (error: unknown) => {
          // Of a channel that closed nothing is known; `detach` has it all sent again.
          if (channel !== this.#channel || isClosed(error)) return
          this.#answered(lane, entry, !error && !entry.returned)
        })
      } catch {
        // The channel is closing; `detach` follows and puts it back in its place.
        return
      }
    }
  }

  #answered(lane: Lane, entry: Entry, kept: boolean): void {
    lane.answeredAt = performance.now()
    lane.unconfirmed.delete(entry.seq)
    entry.returned = false
    this.#stallMs = STALL_MS
    if (kept) {
      lane.keptAt = lane.answeredAt
      lane.refusedMs = REFUSED_MS
      lane.window = Math.min(lane.window * 2, WINDOW_MAX)
      lane.delayMs = PRESSED_DELAY_MS
      this.#resolve(entry, 'kept')
    } else if (entry.waits && !entry.settled && !this.#refusing) {
      const at = lane.waiting.findIndex((other) => other.seq > entry.seq)
      lane.waiting.splice(at === -1 ? lane.waiting.length : at, 0, entry)
      lane.pressed = true
    } else if (entry.waits && this.#refusing) this.#reject(lane, entry, this.#refusing)
    else this.#resolve(entry, 'refused')
    if (lane.pressed && lane.unconfirmed.size === 0) this.#press(lane, true)
    else this.#pump(lane)
  }

  /** A refusal of the queue is waited out; then one message goes ahead of the others. */
  #press(lane: Lane, pressed: boolean): void {
    clearTimeout(lane.timer)
    lane.pressed = pressed
    if (!pressed) return
    lane.window = 1
    lane.timer = setTimeout(() => {
      lane.pressed = false
      this.#pump(lane)
    }, lane.delayMs)
    lane.delayMs = Math.min(lane.delayMs * 2, PRESSED_DELAY_MS_MAX)
  }

  /** A full queue or an alarm is an answer, and waited out; no answer at all is not. */
  #sweep(): void {
    const now = performance.now()
    for (const lane of this.#lanes.values()) {
      if (this.#blocked !== undefined || lane.pressed) lane.answeredAt = now
      this.#checkStall(lane, now)
      this.#checkRefusals(lane, now)
      const overdue = now - this.#options.timeoutMs
      if (lane.answeredAt > overdue) continue
      for (const entry of [...lane.unconfirmed.values(), ...lane.waiting])
        if (entry.since < overdue)
          this.#reject(lane, entry, new CodedError('service.unavailable', 'RabbitMQ does not confirm'))
    }
  }

  /**
   * A node that dies can take messages with it that it has passed on to nobody, and the nodes that remain do not know what to confirm (seen with 3.10, on
   * channels that were opened while a queue elected its leader). Over another connection it is all sent again.
   */
  #checkStall(lane: Lane, now: number): void {
    const [oldest] = lane.unconfirmed.values()
    if (!this.#channel || !oldest || now - Math.max(oldest.sentAt, lane.answeredAt) < this.#stallMs) return
    this.#stallMs = Math.min(this.#stallMs * 2, this.#options.timeoutMs)
    this.#options.fail(new Error(`RabbitMQ does not confirm what was sent to ${lane.queue}`))
  }

  /**
   * A queue that is full refuses, and so does a channel that still takes a node that died for the leader of the queue, for as long as the node is away
   * (seen with 3.10, on channels that were opened while the queue elected another). A new channel asks anew.
   */
  #checkRefusals(lane: Lane, now: number): void {
    if (!this.#channel || !lane.pressed || now - lane.keptAt < lane.refusedMs) return
    lane.refusedMs = Math.min(lane.refusedMs * 2, REFUSED_MS_MAX)
    for (const one of this.#lanes.values()) one.keptAt = now
    this.#options.renew()
  }

  #resolve(entry: Entry, sent: Sent): void {
    entry.settled = true
    entry.resolve(sent)
  }

  #reject(lane: Lane, entry: Entry, error: CodedError): void {
    entry.settled = true
    const at = lane.waiting.indexOf(entry)
    if (at !== -1) lane.waiting.splice(at, 1)
    lane.unconfirmed.delete(entry.seq)
    entry.reject(error)
  }
}

// How amqplib answers for what was unconfirmed when its channel closed; a refusal says `message nacked`.
function isClosed(error: unknown): boolean {
  return error instanceof Error && error.message === 'channel closed'
}
