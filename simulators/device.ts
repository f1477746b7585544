import mqtt, { type ErrorWithReasonCode, type MqttClient } from 'mqtt'
import { TELEMETRY_TOPIC } from './scenario.ts'

export interface DeviceOptions {
  /** `mqtt://host:1883`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: string
  /** The access token: it is the MQTT user name. */
  readonly token: string
  /** Messages sent and not yet acknowledged. */
  readonly inFlightMax?: number
  /** Messages kept while there is no connection or the window is full; `send` answers false beyond. */
  readonly bufferMax?: number
  readonly reconnectMs?: number
  readonly connectTimeoutMs?: number
}

export interface DeviceStats {
  readonly sent: number
  readonly acknowledged: number
  /** Connections lost and made anew. */
  readonly reconnects: number
}

/** Why a device can not go on: `unauthorized` never mends itself, `unreachable` may. */
export class DeviceError extends Error {
  readonly reason: 'unauthorized' | 'unreachable'
  constructor(reason: DeviceError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DeviceError'
    this.reason = reason
  }
}

/** [MQTT-3.2.2-5] CONNACK codes 4 and 5: bad user name or password, not authorized. */
const UNAUTHORIZED_CODES = [4, 5]

/**
 * One device over MQTT, QoS 1: a window of messages in flight, a bounded buffer behind it, reconnecting by itself.
 * What was sent and not acknowledged is sent again after a reconnection.
 */
export class SimulatedDevice {
  readonly #client: MqttClient
  readonly #inFlightMax: number
  readonly #bufferMax: number
  readonly #buffer: { topic: string; payload: string }[] = []
  #inFlight = 0
  #sent = 0
  #acknowledged = 0
  #connects = 0
  #fatal: DeviceError | undefined
  #lastError: Error | undefined
  #waiting: (() => void)[] = []

  constructor(options: DeviceOptions) {
    this.#inFlightMax = options.inFlightMax ?? 16
    this.#bufferMax = options.bufferMax ?? 1000
    this.#client = mqtt.connect(options.url, {
      username: options.token,
      clean: true,
      protocolVersion: 4,
      reconnectPeriod: options.reconnectMs ?? 1000,
      connectTimeout: options.connectTimeoutMs ?? 10_000,
    })
    this.#client.on('connect', () => {
      this.#connects++
      this.#wake()
      this.#pump()
    })
    this.#client.on('error', (error) => this.#failed(error))
  }

  get stats(): DeviceStats {
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      reconnects: Math.max(0, this.#connects - 1),
    }
  }

  get connected(): boolean {
    return this.#client.connected
  }

  /** Set once the server has refused the token: nothing more will be sent. */
  get fatal(): DeviceError | undefined {
    return this.#fatal
  }

  /** Messages not acknowledged yet, in the buffer or in flight. */
  get pending(): number {
    return this.#buffer.length + this.#inFlight
  }

  /** Takes a message to be sent as soon as possible. False when the buffer is full: ask again later, nothing was taken. */
  send(payload: string, topic = TELEMETRY_TOPIC): boolean {
    if (this.#buffer.length >= this.#bufferMax) return false
    this.#buffer.push({ topic, payload })
    this.#pump()
    return true
  }

  /** Resolves at the first connection. @throws DeviceError when the token is refused, or at the deadline */
  connect(timeoutMs = 10_000): Promise<void> {
    return this.#until(() => this.connected, timeoutMs, 'no MQTT connection')
  }

  /** Resolves when every message taken is acknowledged. @throws DeviceError as `connect` */
  drain(timeoutMs = 30_000): Promise<void> {
    return this.#until(() => this.pending === 0, timeoutMs, 'not every message was acknowledged')
  }

  /** Closes the connection at once; what is not acknowledged is forgotten. */
  async close(): Promise<void> {
    await this.#client.endAsync(true)
  }

  #pump(): void {
    while (this.#client.connected && this.#inFlight < this.#inFlightMax) {
      const next = this.#buffer.shift()
      if (!next) return
      this.#inFlight++
      this.#sent++
      this.#client.publish(next.topic, next.payload, { qos: 1 }, (error) => {
        this.#inFlight--
        // The one error here is a client that was closed under its messages.
        if (!error) this.#acknowledged++
        this.#wake()
        this.#pump()
      })
    }
  }

  #failed(error: Error | ErrorWithReasonCode): void {
    this.#lastError = error
    const code = 'code' in error ? Number(error.code) : NaN
    if (!UNAUTHORIZED_CODES.includes(code)) return
    this.#fatal = new DeviceError('unauthorized', 'The server refuses the token of this device.', {
      cause: error,
    })
    this.#wake()
    this.#client.end(true)
  }

  #late(what: string, timeoutMs: number): DeviceError {
    const why = this.#lastError?.message
    const text = `${what} within ${timeoutMs} ms${why ? ` (${why})` : ''}`
    return new DeviceError('unreachable', text, { cause: this.#lastError })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  async #until(done: () => boolean, timeoutMs: number, what: string): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!done()) {
      if (this.#fatal) throw this.#fatal
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) throw this.#late(what, timeoutMs)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
}
