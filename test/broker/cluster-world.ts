import { randomUUIDv7 } from 'node:crypto'
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import pino from 'pino'
import type { Test } from 'tap'
import { openRedisCache } from '../../adapters/cache/redis.ts'
import { openRedisSessions } from '../../adapters/session/redis.ts'
import { startCommandSender } from '../../broker/command-sender.ts'
import { startBroker, type BrokerSettings } from '../../broker/index.ts'
import { migrate } from '../../db/migrate.ts'
import { openDb } from '../../db/open.ts'
import { hashToken, insertDevice } from '../../db/queries/device.ts'
import { createMetrics } from '../../main/metrics.ts'
import { systemClock } from '../../ports/clock.ts'
import type { RedisServer } from '../services/redis.ts'
import { testIntake } from './world.ts'

/** Two brokers, each with connections of its own to one Redis, as in two processes. All of it but the server ends with the test. */
export async function openCluster(t: Test, server: RedisServer, settings: Partial<BrokerSettings> = {}) {
  const db = await openDb('sqlite::memory:')
  await migrate(db)
  const logLines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) })
  const clients: MqttClient[] = []
  // Of its own, since the tests share a server.
  const keyPrefix = `${randomUUIDv7()}:`

  const openSessions = () => openRedisSessions({ url: server.url, log, keyPrefix: `${keyPrefix}mqtt:` })

  /** As in a process that has no broker. */
  async function startSender() {
    const sessions = await openSessions()
    const deps = { ...sessions, metrics: createMetrics(), log, clock: systemClock, settings }
    const sender = await startCommandSender(deps)
    t.teardown(async () => {
      await sender.stop()
      await sessions.close()
    })
    return sender
  }

  async function startOne() {
    const sessions = await openSessions()
    const cache = await openRedisCache({ url: server.url, log, keyPrefix })
    const intake = testIntake()
    const metrics = createMetrics()
    const { persistence, mq } = sessions
    const all = { host: '127.0.0.1', mqttPort: 0, webSocketPort: 0, stopTimeoutMs: 500, ...settings }
    const deps = { intake, db, cache, metrics, log, clock: systemClock, persistence, mq }
    const broker = await startBroker({ ...deps, settings: all })
    const url = `mqtt://127.0.0.1:${broker.ports.mqtt}`
    const open = (token: string, options: IClientOptions): MqttClient => {
      const client = connect(url, { username: token, reconnectPeriod: 0, ...options })
      client.on('error', () => {})
      clients.push(client)
      return client
    }
    let running = true
    const stop = async (): Promise<void> => {
      if (!running) return
      running = false
      await broker.stop()
      await Promise.all([sessions.close(), cache.close()])
    }
    return {
      broker,
      intake,
      cache,
      stop,
      /** A client that is connecting. */
      open,
      async connect(token: string, options: IClientOptions = {}): Promise<MqttClient> {
        const client = await connectAsync(url, { username: token, reconnectPeriod: 0, ...options }, false)
        client.on('error', () => {})
        clients.push(client)
        return client
      },
    }
  }

  const [a, b] = [await startOne(), await startOne()]
  t.teardown(async () => {
    for (const client of clients) client.end(true)
    await Promise.all([a.stop(), b.stop()])
    await db.destroy()
  })
  return {
    a,
    b,
    db,
    logLines,
    startOne,
    startSender,
    async addDevice() {
      const token = randomUUIDv7()
      const id = randomUUIDv7()
      const row = { name: id, equipmentId: null, isGateway: 0, gatewayId: null, disabledAt: null } as const
      await insertDevice(db, { id, tokenHash: hashToken(token), createdAt: Date.now(), ...row })
      return { id, token }
    },
  }
}
