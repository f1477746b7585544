import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'mqtt-packet'
import { test } from 'tap'
import { Api, metric, registerDevices, startColdstream } from '../services/coldstream.ts'
import { waitFor } from '../wait-for.ts'

// P5: the series store does not take anything (another process holds its file), so that the queue runs full. Publishers that never wait for an
// acknowledgement push as hard as they can. Acknowledgements stop, memory stays flat, and once the store works again everything arrives.
const DEVICES = 4
const READINGS = 15_000
const PUBACK_BYTES = 4
const CONNACK_BYTES = 4
const MEBIBYTE = 1024 * 1024

class Blaster {
  acked = 0
  readonly #socket: Socket
  readonly #token: string
  #bytes = -CONNACK_BYTES

  constructor(port: number, token: string) {
    this.#token = token
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      this.acked = Math.max(0, Math.floor(this.#bytes / PUBACK_BYTES))
    })
  }

  /** Writes everything at once, and leaves it to the socket to hold it back. */
  async blast(firstTime: number): Promise<void> {
    this.#socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: this.#token.slice(-12),
        keepalive: 0,
        username: this.#token,
      }),
    )
    // More than a few packets before the CONNACK are taken for an attack.
    await once(this.#socket, 'data')
    for (let i = 0; i < READINGS; i++) {
      const payload = `{"ts":${firstTime + i * 1000},"values":{"temperature":4.2,"humidity":50}}`
      const packet = { cmd: 'publish', topic: 'v1/devices/me/telemetry', payload, qos: 1 } as const
      this.#socket.write(generate({ ...packet, messageId: (i % 65_535) + 1, retain: false, dup: false }))
    }
  }

  end(): void {
    this.#socket.destroy()
  }
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

test('a full queue makes publishers wait, keeps memory flat, and drops nothing', async (t) => {
  const dir = t.testdir()
  const program = await startColdstream(dir, { QUEUE_BYTES_MAX: String(MEBIBYTE) })
  t.teardown(() => program.end('SIGKILL'))
  const devices = await registerDevices(program.http, DEVICES)
  const lock = new DatabaseSync(join(dir, 'series.sqlite'))
  lock.exec('BEGIN IMMEDIATE')

  const firstTime = Date.now() - 5 * 3_600_000
  const blasters = devices.map((device) => new Blaster(program.mqttPort, device.accessToken))
  t.teardown(() => blasters.forEach((blaster) => blaster.end()))
  await Promise.all(blasters.map((blaster) => blaster.blast(firstTime)))
  const acked = () => blasters.reduce((sum, blaster) => sum + blaster.acked, 0)

  let before = -1
  await waitFor(
    async () => {
      const now = acked()
      const stands = now > 0 && now === before
      before = now
      await sleep(1000)
      return stands
    },
    'the acknowledgements to stop',
    60_000,
  )
  t.ok(
    acked() < DEVICES * READINGS,
    `${acked()} of ${DEVICES * READINGS} were acknowledged before the queue was full`,
  )
  t.ok((await metric(program.http, 'coldstream_queue_bytes{queue="store"}')) <= 1.5 * MEBIBYTE)
  const full = residentMiB(program.pid)
  await sleep(4000)
  t.equal(acked(), before, 'no acknowledgement while the queue is full')
  const later = residentMiB(program.pid)
  t.ok(later - full < 20, `memory went from ${full.toFixed(0)} to ${later.toFixed(0)} MiB`)

  lock.exec('ROLLBACK')
  lock.close()
  await waitFor(() => acked() === DEVICES * READINGS, 'every acknowledgement', 60_000)
  await waitFor(
    async () => (await metric(program.http, 'coldstream_queue_batches')) === 0,
    'the queues to empty',
    60_000,
  )
  t.equal(await metric(program.http, 'coldstream_queue_parked'), 0)
  const api = await Api.login(program.http)
  const range = `from=${new Date(firstTime).toISOString()}&to=${new Date().toISOString()}`
  for (const device of devices) {
    const buckets = await api.get<{ items: { count: number }[] }>(
      `devices/${device.id}/readings?${range}&every=1h`,
    )
    t.equal(
      buckets.items.reduce((sum, bucket) => sum + bucket.count, 0),
      READINGS,
      'every reading, once',
    )
  }
})
