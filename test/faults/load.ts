import { connect, type Socket } from 'node:net'
import { generate, parser, type Packet } from 'mqtt-packet'
import { celsius, timeOf } from './history.ts'

// Many devices in one process that costs little. Each does what an honest device does: it measures at its pace whether it is connected or not,
// keeps what was not acknowledged, and sends that again, first, when it is connected again, to another broker.
// Talks to its parent over IPC: a job, then {stop} and {report}; answers {ready} and reports.

export interface Job {
  readonly tokens: readonly string[]
  readonly brokerPorts: readonly number[]
  /** Over all devices. */
  readonly readingsPerSecond: number
  readonly firstTime: number
}

export interface LoadReport {
  /** Readings that were measured, by device: steps 0 to this. */
  readonly measured: readonly number[]
  readonly acknowledged: number
  /** Sent again after a lost connection. */
  readonly resent: number
  readonly reconnects: number
  /** The longest time in which no device got an acknowledgement. */
  readonly pauseMsMax: number
  /** The longest time from a measurement to its acknowledgement. */
  readonly waitMsMax: number
}

const TOPIC = 'v1/devices/me/telemetry'
const IN_FLIGHT_MAX = 20
const KEEPALIVE_S = 10
const TICK_MS = 10
const RECONNECT_MS = 200
const RECONNECT_MS_MAX = 2000
/** Without a word from the broker for this long, though it was asked for one, a device tries another. */
const SILENCE_MS_MAX = 15_000
const CONNECT_MS_MAX = 5000

const totals = { acknowledged: 0, resent: 0, reconnects: 0, pauseMsMax: 0, waitMsMax: 0, lastAckAt: 0 }

class Device {
  readonly #index: number
  readonly #job: Job
  #broker: number
  #socket: Socket | undefined
  #connected = false
  #heardAt = 0
  #askedAt = 0
  #delayMs = RECONNECT_MS
  #messageId = 0
  readonly #inFlight = new Map<number, number>()
  #again: number[] = []
  #next = 0
  measured = 0

  constructor(job: Job, index: number) {
    this.#job = job
    this.#index = index
    this.#broker = index
    this.#connect()
  }

  get waiting(): number {
    return this.#inFlight.size + this.#again.length + this.measured - this.#next
  }

  get connected(): boolean {
    return this.#connected
  }

  #connect(): void {
    const { brokerPorts, tokens } = this.#job
    const port = brokerPorts[this.#broker++ % brokerPorts.length] ?? 0
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const packets = parser()
    packets.on('packet', (packet) => this.#received(packet))
    packets.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => packets.parse(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#lost(socket))
    this.#socket = socket
    this.#heardAt = performance.now()
    const username = tokens[this.#index] ?? ''
    const clientId = `device-${this.#index}`
    const options = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: KEEPALIVE_S } as const
    socket.write(generate({ cmd: 'connect', ...options, clientId, username }))
  }

  #received(packet: Packet): void {
    this.#heardAt = performance.now()
    if (packet.cmd === 'connack') {
      if (packet.returnCode !== 0) return void this.#socket?.destroy()
      this.#connected = true
      this.#delayMs = RECONNECT_MS
      this.send()
    }
    if (packet.cmd === 'puback') this.#acknowledged(packet.messageId ?? 0)
  }

  #acknowledged(messageId: number): void {
    const step = this.#inFlight.get(messageId)
    if (step === undefined) return
    this.#inFlight.delete(messageId)
    const now = performance.now()
    totals.acknowledged += 1
    totals.pauseMsMax = Math.max(totals.pauseMsMax, now - totals.lastAckAt)
    totals.lastAckAt = now
    totals.waitMsMax = Math.max(totals.waitMsMax, now - measuredAt(this.#job, this.#index, step))
    this.send()
  }

  #lost(socket: Socket): void {
    if (socket !== this.#socket) return
    this.#connected = false
    totals.resent += this.#inFlight.size
    totals.reconnects += 1
    this.#again = [...this.#inFlight.values(), ...this.#again]
    this.#inFlight.clear()
    setTimeout(() => this.#connect(), this.#delayMs * (0.5 + Math.random() / 2))
    this.#delayMs = Math.min(2 * this.#delayMs, RECONNECT_MS_MAX)
  }

  send(): void {
    while (this.#connected && this.#inFlight.size < IN_FLIGHT_MAX) {
      const step = this.#again.shift() ?? (this.#next < this.measured ? this.#next++ : undefined)
      if (step === undefined) return
      const payload = JSON.stringify({
        ts: timeOf(this.#job, step),
        values: { temperature: celsius(this.#index, step) },
      })
      this.#messageId = (this.#messageId % 65_535) + 1
      this.#inFlight.set(this.#messageId, step)
      const about = { qos: 1, dup: false, retain: false, messageId: this.#messageId } as const
      this.#socket?.write(generate({ cmd: 'publish', topic: TOPIC, payload, ...about }))
    }
  }

  /** Whether the broker is still there: a ping now and then, and away when nothing is heard. */
  watch(now: number): void {
    const silentMs = now - this.#heardAt
    if (silentMs > (this.#connected ? SILENCE_MS_MAX : CONNECT_MS_MAX)) this.#socket?.destroy()
    else if (this.#connected && now - this.#askedAt > (KEEPALIVE_S * 1000) / 2) {
      this.#askedAt = now
      this.#socket?.write(generate({ cmd: 'pingreq' }))
    }
  }
}

let devices: Device[] = []
let startedAt = 0
let stoppedAt: number | undefined

/** The devices take turns. */
function measuredAt({ tokens, readingsPerSecond }: Job, device: number, step: number): number {
  return startedAt + ((step * tokens.length + device) / readingsPerSecond) * 1000
}

function tick(job: Job): void {
  const now = performance.now()
  const until = stoppedAt ?? now
  const due = Math.floor(((until - startedAt) / 1000) * job.readingsPerSecond)
  for (const [index, device] of devices.entries()) {
    device.measured = Math.max(0, Math.ceil((due - index) / devices.length))
    device.send()
  }
  // While there is something to acknowledge.
  if (devices.some(({ waiting }) => waiting > 0))
    totals.pauseMsMax = Math.max(totals.pauseMsMax, now - totals.lastAckAt)
  else totals.lastAckAt = now
}

function report(): LoadReport & { readonly waiting: number } {
  const { lastAckAt: _, ...rest } = totals
  const waiting = devices.reduce((sum, device) => sum + device.waiting, 0)
  return { ...rest, measured: devices.map(({ measured }) => measured), waiting }
}

function begin(job: Job): void {
  devices = job.tokens.map((_, index) => new Device(job, index))
  setInterval(() => {
    for (const device of devices) device.watch(performance.now())
  }, 500)
  const connecting = setInterval(() => {
    if (!devices.every(({ connected }) => connected)) return
    clearInterval(connecting)
    startedAt = performance.now()
    totals.lastAckAt = startedAt
    totals.reconnects = 0
    setInterval(tick, TICK_MS, job)
    process.send?.({ ready: true })
  }, TICK_MS)
}

process.on('message', (message: { job?: Job; stop?: true; report?: true }) => {
  if (message.job) begin(message.job)
  if (message.stop) stoppedAt = performance.now()
  if (message.report) process.send?.(report())
})
process.on('disconnect', () => process.exit())
