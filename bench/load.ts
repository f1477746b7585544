import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'mqtt-packet'

// A load generator that costs as little as it can, so that on two cores the broker has one for itself: packets are encoded once, only the
// time inside of the payload is rewritten, and acknowledgements are counted, not parsed (a PUBACK is 4 bytes, and nothing else comes back).
// Talks to its parent over IPC: {ready}, then on {go} publishes until {stop}, then {done, acked, ...}.

interface Job {
  readonly port: number
  /** The user names. */
  readonly tokens: readonly string[]
  readonly password?: string
  /** Of the first reading of each connection. */
  readonly firstTime: number
  /** Unacknowledged packets per connection. */
  readonly window: number
  /** At most this many publishes a second over all connections; 0: as fast as acknowledged. */
  readonly ratePerSecond: number
  /** Of these, as many one after the other on one connection, as a logger hands over what it has gathered. */
  readonly burst: number
  /** Readings in one packet. */
  readonly readings: number
  /** From one reading of a connection to its next. */
  readonly stepMs: number
  /** Packets of one connection, all in all; without it, until it is stopped. */
  readonly packetsMax?: number
}

const TOPIC = 'v1/devices/me/telemetry'
const TIME = '0000000000000'
const READING = `{"ts":${TIME},"values":{"temperature":4.2,"humidity":51.5,"battery":93}}`
const CONNECTING_MAX = 250
const PUBACK_BYTES = 4
const CONNACK_BYTES = 4

class Publisher {
  readonly #socket: Socket
  readonly #packet: Buffer
  readonly #messageIdAt: number
  readonly #timesAt: readonly number[]
  readonly #job: Job
  readonly #latencies: number[] = []
  readonly #sentAt: number[] = []
  #time: number
  #left: number
  #pending = 0
  #partial = -CONNACK_BYTES
  #running = false
  #messageId = 0
  acked = 0
  readonly connected: Promise<void>

  constructor(job: Job, index: number, token: string) {
    const { port, password, firstTime, readings } = job
    this.#job = job
    this.#time = firstTime
    this.#left = job.packetsMax ?? Number.POSITIVE_INFINITY
    const payload = readings === 1 ? READING : `[${Array.from({ length: readings }, () => READING).join()}]`
    this.#packet = generate({
      cmd: 'publish',
      topic: TOPIC,
      payload,
      qos: 1,
      messageId: 1,
      retain: false,
      dup: false,
    })
    // The message id stands between the topic and the payload.
    this.#messageIdAt = this.#packet.length - payload.length - 2
    this.#timesAt = [...this.#packet.toString('latin1').matchAll(new RegExp(TIME, 'g'))].map((at) => at.index)
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.connected = new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.on('data', (chunk: Buffer) => this.#received(chunk, resolve))
    })
    this.#socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: `load-${index}`,
        keepalive: 0,
        username: token,
        ...(password !== undefined && { password: Buffer.from(password) }),
      }),
    )
  }

  #received(chunk: Buffer, connected: () => void): void {
    const before = this.#partial
    this.#partial += chunk.length
    if (before < 0 && this.#partial >= 0) connected()
    const acks = Math.floor(this.#partial / PUBACK_BYTES)
    if (acks <= 0) return
    this.#partial -= acks * PUBACK_BYTES
    this.acked += acks
    this.#pending -= acks
    const now = performance.now()
    for (let i = 0; i < acks; i++) {
      const sentAt = this.#sentAt.shift()
      // One in sixteen is enough for percentiles and costs the load generator little.
      if (sentAt !== undefined && (this.acked + i) % 16 === 0) this.#latencies.push(now - sentAt)
    }
    if (this.#running) this.fill(this.#job.window)
  }

  start(): void {
    this.#running = true
    this.fill(this.#job.window)
  }

  /** Publishes up to `count` packets, as far as the window allows. */
  fill(count: number): void {
    const room = Math.min(count, this.#job.window - this.#pending, this.#left)
    if (room <= 0) return
    const chunk = Buffer.allocUnsafe(this.#packet.length * room)
    const now = performance.now()
    for (let i = 0; i < room; i++) {
      const at = i * this.#packet.length
      this.#packet.copy(chunk, at)
      for (const timeAt of this.#timesAt) {
        chunk.write(String(this.#time), at + timeAt, TIME.length, 'latin1')
        this.#time += this.#job.stepMs
      }
      this.#messageId = (this.#messageId % 65_535) + 1
      chunk.writeUInt16BE(this.#messageId, at + this.#messageIdAt)
      this.#sentAt.push(now)
    }
    this.#left -= room
    this.#pending += room
    this.#socket.write(chunk)
  }

  /** Whether all that it is to send was sent and acknowledged. */
  get isFinished(): boolean {
    return this.#left === 0 && this.#pending === 0
  }

  /** Waits until everything is acknowledged, 30 seconds at most. */
  async idle(): Promise<void> {
    const deadline = performance.now() + 30_000
    while (this.#pending > 0 && performance.now() < deadline) await sleep(5)
  }

  async stop(): Promise<{ acked: number; latencies: number[] }> {
    this.#running = false
    await this.idle()
    this.#socket.destroy()
    return { acked: this.acked, latencies: this.#latencies }
  }
}

const publishers: Publisher[] = []
let timer: NodeJS.Timeout | undefined

async function prepare(job: Job): Promise<void> {
  for (let from = 0; from < job.tokens.length; from += CONNECTING_MAX) {
    const tokens = job.tokens.slice(from, from + CONNECTING_MAX)
    const connecting = tokens.map((token, index) => new Publisher(job, from + index, token))
    await Promise.all(connecting.map((publisher) => publisher.connected))
    publishers.push(...connecting)
  }
  if (job.packetsMax !== undefined) return
  // One reading each, so that the measurement begins with a broker that knows its devices.
  for (const publisher of publishers) publisher.fill(1)
  await Promise.all(publishers.map((publisher) => publisher.idle()))
}

function go(job: Job): void {
  if (job.ratePerSecond === 0) {
    for (const publisher of publishers) publisher.start()
    return
  }
  const startedAt = performance.now()
  let sent = 0
  timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * job.ratePerSecond)
    for (; sent + job.burst <= due; sent += job.burst)
      publishers[(sent / job.burst) % publishers.length]?.fill(job.burst)
  }, 2)
}

async function stop(): Promise<void> {
  clearInterval(timer)
  const results = await Promise.all(publishers.map((publisher) => publisher.stop()))
  const latencies = results.flatMap((result) => result.latencies).toSorted((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  const acked = results.reduce((sum, result) => sum + result.acked, 0)
  process.send?.({ done: true, acked, p50Ms: at(0.5), p99Ms: at(0.99) })
  process.disconnect?.()
}

let job: Job | undefined
process.on('message', (message: { job?: Job; go?: true; stop?: true; count?: true }) => {
  if (message.job) {
    job = message.job
    prepare(job).then(
      () => process.send?.({ ready: true }),
      (error: unknown) => process.send?.({ failed: String(error) }),
    )
  }
  if (message.go && job) go(job)
  if (message.count)
    process.send?.({
      acked: publishers.reduce((sum, p) => sum + p.acked, 0),
      isFinished: publishers.every((p) => p.isFinished),
    })
  if (message.stop) void stop()
})
