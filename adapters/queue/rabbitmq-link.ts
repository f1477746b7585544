import type { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Channel, type ChannelModel } from 'amqplib'
import type { Logger } from 'pino'
import type { RabbitQueueLimits } from './rabbitmq-limits.ts'

export interface LinkOptions {
  /** For the log. */
  readonly name: string
  /** Tried in turn. */
  readonly urls: readonly string[]
  readonly limits: RabbitQueueLimits
  readonly log: Pick<Logger, 'warn' | 'info'> | undefined
  /** Makes the connection ready for use; when it rejects the connection is given up. */
  up(model: ChannelModel): Promise<void>
  /** Nothing of the connection can be used any more. Also called when `up` failed. */
  down(): void
  /** A queue or exchange is missing. */
  missing(): void
  /** RabbitMQ takes nothing from us, for want of memory or disk; undefined: it does again. */
  blocked?(reason: string | undefined): void
}

const CONNECT_TIMEOUT_MS = 5000
// Exclusive queues are known to all nodes: one that does not answer holds up making them until the others take it for gone.
const UP_TIMEOUT_MS = 30_000
const NOT_FOUND = 404

/** As RabbitMQ says it, which closes the channel. */
export function notFound(queue: string): Error {
  return Object.assign(new Error(`the queue ${queue} is missing`), { code: NOT_FOUND })
}

/**
 * Closes a channel or connection politely; resolves when it is closed in any way. The promise of amqplib alone never settles when the connection
 * is lost before the server has answered.
 */
export async function closePolitely(it: Pick<Channel, 'close'> & EventEmitter): Promise<void> {
  const closed = new Promise((resolve) => it.once('close', resolve))
  await Promise.race([closed, it.close().catch(() => undefined)])
}

/** One connection, made again for ever when it is lost. */
export class Link {
  readonly #options: LinkOptions
  readonly #closing = new AbortController()
  #urlAt: number
  #current: { readonly model: ChannelModel; readonly socket: AbortController } | undefined
  /** Why there is no connection; undefined while there is one. */
  failure: string | undefined = 'not connected yet'
  readonly #running: Promise<void>

  constructor(options: LinkOptions) {
    this.#options = options
    // Not always the first: the processes should spread over the nodes.
    this.#urlAt = Math.floor(Math.random() * options.urls.length)
    this.#running = this.#run()
  }

  /** The connection cannot be trusted any more: drops it, a new one will be made. */
  fail(error: Error): void {
    if ('code' in error && error.code === NOT_FOUND) this.#options.missing()
    this.failure ??= error.message
    this.#current?.socket.abort(error)
  }

  /** A channel whose failure is the failure of the connection. */
  async channel<C extends Channel>(make: Promise<C>): Promise<C> {
    const channel = await make
    channel.on('error', (error: Error) => this.fail(error))
    return channel
  }

  /** Ends the connection politely, or after `timeoutMs` rudely. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing.abort()
    const { model, socket } = this.#current ?? {}
    const late = AbortSignal.timeout(timeoutMs)
    await Promise.race([model?.close().catch(() => undefined), sleep(timeoutMs, undefined, { ref: false })])
    if (late.aborted) socket?.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { limits, log, name } = this.#options
    const { signal } = this.#closing
    let delayMs = limits.reconnectDelayMs
    while (!signal.aborted) {
      const startedAt = performance.now()
      const error = await this.#live().catch((reason: unknown) =>
        reason instanceof Error ? reason : new Error(String(reason)),
      )
      this.#current = undefined
      this.failure = error.message
      if (signal.aborted) return
      log?.warn({ link: name, err: error }, 'queue: the connection to RabbitMQ is lost, or was not made')
      if (performance.now() - startedAt > 10_000) delayMs = limits.reconnectDelayMs
      // Half of it by chance, so that the processes do not all come back in the same moment.
      await sleep(delayMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
      delayMs = Math.min(delayMs * 2, limits.reconnectDelayMsMax)
    }
  }

  /** From connecting to the loss of the connection; resolves with the reason. */
  async #live(): Promise<Error> {
    const { limits, urls, name, log } = this.#options
    const socket = new AbortController()
    const options = { timeout: CONNECT_TIMEOUT_MS, noDelay: true, keepAlive: true, signal: socket.signal }
    const url = new URL(urls[this.#urlAt++ % urls.length] ?? '')
    url.searchParams.set('heartbeat', String(limits.heartbeatS))
    const model = await connect(url.href, { ...options, clientProperties: { connection_name: name } })
    const lost = Promise.withResolvers<Error>()
    let cause: Error | undefined
    model.on('error', (error) => (cause ??= error))
    model.on('close', (error) => {
      const given: unknown = socket.signal.reason
      lost.resolve(
        given instanceof Error ? given : (cause ?? error ?? new Error('the connection was closed')),
      )
    })
    model.on('blocked', (reason) => this.#options.blocked?.(reason))
    model.on('unblocked', () => this.#options.blocked?.(undefined))
    this.#current = { model, socket }
    try {
      if (this.#closing.signal.aborted) throw new Error('closed')
      await Promise.race([this.#options.up(model), rejectAfter(UP_TIMEOUT_MS), rejectWhen(lost.promise)])
      this.failure = undefined
      log?.info({ link: name, host: url.host }, 'queue: connected to RabbitMQ')
      return await lost.promise
    } finally {
      this.#options.down()
      socket.abort()
    }
  }
}

async function rejectWhen(lost: Promise<Error>): Promise<never> {
  throw await lost
}

async function rejectAfter(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false })
  throw new Error(`RabbitMQ did not answer for ${timeoutMs} ms`)
}
