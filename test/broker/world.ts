import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUIDv7 } from 'node:crypto'
import mqttPacket, { type Packet as WirePacket } from 'mqtt-packet'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import pino from 'pino'
import type { Test } from 'tap'
import { openMemoryCache } from '../../adapters/cache/memory.ts'
import { openSessions } from '../../adapters/session/sqlite.ts'
import { startBroker, type Broker, type BrokerSettings } from '../../broker/index.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { hashToken, insertDevice } from '../../db/queries/device.ts'
import type { DeviceTable } from '../../db/schema.ts'
import { createMetrics } from '../../main/metrics.ts'
import { systemClock } from '../../ports/clock.ts'
import type { Intake, Packet } from '../../ports/intake.ts'

/** An intake in the hands of the test: it keeps what it was given, and answers as `answer` says. */
export interface TestIntake extends Intake {
  readonly packets: Packet[]
  answer: (packet: Packet) => Promise<void>
}

export function testIntake(): TestIntake {
  const intake: TestIntake = {
    packets: [],
    answer: async () => {},
    async accept(packet) {
      intake.packets.push(packet)
      await intake.answer(packet)
      return { readings: 1, refused: [] }
    },
  }
  return intake
}

/** A broker with everything around it that is real but the ingest part. All of it ends with the test. */
export async function openWorld(t: Test, settings: Partial<BrokerSettings> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'coldstream-broker-'))
  const db = await openDb('sqlite::memory:')
  await migrate(db)
  const cache = openMemoryCache({ entriesMax: 1000 })
  const metrics = createMetrics()
  const intake = testIntake()
  const logLines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) })
  const clients: MqttClient[] = []
  const sockets: Socket[] = []

  let current: { broker: Broker; sessions: Awaited<ReturnType<typeof openSessions>> } | undefined
  const running = () => {
    if (!current) throw new Error('the broker is not running')
    return current
  }
  const start = async (changed: Partial<BrokerSettings> = {}): Promise<void> => {
    const sessions = await openSessions(join(folder, 'mqtt'))
    const { persistence } = sessions
    const deps = { intake, db, cache, metrics, log, clock: systemClock, persistence }
    const all = {
      host: '127.0.0.1',
      mqttPort: 0,
      webSocketPort: 0,
      stopTimeoutMs: 500,
      ...settings,
      ...changed,
    }
    current = { sessions, broker: await startBroker({ ...deps, settings: all }) }
  }
  const stop = async (): Promise<void> => {
    const { broker, sessions } = running()
    current = undefined
    await broker.stop()
    await sessions.close()
  }
  t.teardown(async () => {
    for (const client of clients) client.end(true)
    for (const socket of sockets) socket.destroy()
    if (current) await stop()
    await cache.close()
    await db.destroy()
    await rm(folder, { recursive: true })
  })
  await start()

  return {
    db,
    cache,
    intake,
    logLines,
    start,
    stop,
    get broker() {
      return running().broker
    },
    async addDevice(fields: Partial<DeviceTable> = {}) {
      const token = randomUUIDv7()
      const id = randomUUIDv7()
      const row = { name: id, equipmentId: null, isGateway: 0, gatewayId: null, disabledAt: null } as const
      await insertDevice(db, { id, tokenHash: hashToken(token), createdAt: Date.now(), ...row, ...fields })
      return { id, token }
    },
    /** A real MQTT client. Does not reconnect unless told to. */
    async connect(token: string | undefined, options: IClientOptions = {}): Promise<MqttClient> {
      const url = `mqtt://127.0.0.1:${running().broker.ports.mqtt}`
      const client = await connectAsync(url, { username: token, reconnectPeriod: 0, ...options }, false)
      client.on('error', () => {})
      clients.push(client)
      return client
    },
    /** A socket that says exactly what the test writes. */
    raw(): RawClient {
      const client = rawClient(running().broker.ports.mqtt)
      sockets.push(client.socket)
      return client
    },
    async metric(line: string): Promise<number> {
      const text = await metrics.scrape()
      const found = text.split('\n').find((it) => it.startsWith(line) && it[line.length] === ' ')
      return found ? Number(found.slice(line.length + 1)) : 0
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

export interface RawClient {
  readonly socket: Socket
  /** Packets that came from the broker. */
  readonly received: WirePacket[]
  send(packet: WirePacket): void
  readonly closed: Promise<void>
}

function rawClient(port: number): RawClient {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  const received: WirePacket[] = []
  const parser = mqttPacket.parser()
  parser.on('packet', (packet) => received.push(packet))
  socket.on('data', (chunk: Buffer) => parser.parse(chunk))
  return {
    socket,
    received,
    send: (packet) => void socket.write(mqttPacket.generate(packet)),
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}

export function connectPacket(token: string, fields: object = {}): WirePacket {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: 'raw',
    keepalive: 60,
    username: token,
    ...fields,
  }
}

/** Collects what a client is sent. */
export function inbox(client: MqttClient): { topic: string; text: string; retain: boolean }[] {
  const messages: { topic: string; text: string; retain: boolean }[] = []
  client.on('message', (topic, payload, { retain }) =>
    messages.push({ topic, text: payload.toString(), retain }),
  )
  return messages
}
