import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import { openRedisSessions } from '../../adapters/session/redis.ts'
import { hasRedis, startRedis, type RedisServer } from '../services/redis.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'

const skip = skipWithout('Redis', hasRedis)
const log = { info: () => {}, warn: () => {} }
const HEARTBEAT_MS = 20

if (skip) test('sessions on Redis', { skip }, async () => {})
else await testOn(await startRedis())

/** As much of a persistence as the tests call. */
interface Persistence {
  setup(broker: object): Promise<void>
  available(): boolean
  addSubscriptions(client: Client, subscriptions: readonly { topic: string; qos: number }[]): Promise<void>
  removeSubscriptions(client: Client, topics: readonly string[]): Promise<void>
  cleanSubscriptions(client: Client): Promise<void>
  subscriptionsByClient(client: Client): Promise<{ topic: string; qos: number }[]>
  subscriptionsByTopic(topic: string): Promise<{ clientId: string; topic: string; qos: number }[]>
  clientsWithPrefix(prefix: string, limit: number): Promise<string[]>
  outgoingEnqueueCombi(subscribers: readonly { clientId: string }[], packet: object): Promise<void>
  outgoingStream(client: Client): AsyncIterable<{ topic: string; payload: Buffer }>
  queueLength(clientId: string): Promise<number>
  storeRetained(packet: object): Promise<void>
  createRetainedStreamCombi(filters: readonly string[]): AsyncIterable<{ topic: string; payload: Buffer }>
  putWill(client: Client, will: object): Promise<void>
  delWill(client: Client & { brokerId?: string }): Promise<void>
  streamWill(alive: object): AsyncIterable<{ clientId: string; brokerId: string; payload: Buffer }>
}
interface Client {
  readonly id: string
  readonly clean?: boolean
}

const publication = (topic: string, payload: string, counter = 1) => ({
  cmd: 'publish',
  topic,
  payload: Buffer.from(payload, 'latin1'),
  qos: 1,
  retain: true,
  brokerId: 'broker',
  brokerCounter: counter,
})

const command = (id: string): string => `device/${id}/rpc/+`

async function later(): Promise<void> {
  const now = Date.now()
  await waitFor(() => Date.now() > now, 'the next millisecond')
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

async function testOn(server: RedisServer): Promise<void> {
  async function openOne(t: Test, keyPrefix: string, heartbeatInterval = HEARTBEAT_MS) {
    const sessions = await openRedisSessions({ url: server.url, log, keyPrefix })
    t.teardown(() => sessions.close())
    const persistence = sessions.persistence as Persistence
    const clients: Record<string, { will: object | null }> = {}
    const id = randomUUID()
    await persistence.setup({ id, opts: { heartbeatInterval }, clients })
    return { id, clients, sessions, persistence }
  }
  const openBoth = async (t: Test, heartbeatMs = HEARTBEAT_MS) => {
    const prefix = `${randomUUID()}:`
    return { prefix, a: await openOne(t, prefix, heartbeatMs), b: await openOne(t, prefix, heartbeatMs) }
  }
  const keys = async (prefix: string): Promise<string[]> => {
    const client = new Redis(server.url)
    try {
      return await client.keys(`${prefix}*`)
    } finally {
      client.disconnect()
    }
  }
  const [d, other] = [randomUUID(), randomUUID()]

  test('subscriptions of one broker are known to the other at once, whatever the client calls itself', async (t) => {
    const { a, b } = await openBoth(t)
    const names = ['plain', 'with "quotes"', 'line\nbreak', '*', '', 'é\u{1f321}', 'a/b', '__proto__']
    for (const name of names)
      await a.persistence.addSubscriptions({ id: `${d}/${name}` }, [{ topic: command(d), qos: 1 }])
    await a.persistence.addSubscriptions({ id: `${d}/zero` }, [{ topic: command(d), qos: 0 }])
    await a.persistence.addSubscriptions({ id: `${other}/plain` }, [{ topic: command(other), qos: 1 }])
    const found = await b.persistence.subscriptionsByTopic(`device/${d}/rpc/5`)
    t.same(found.map(({ clientId }) => clientId).toSorted(), names.map((name) => `${d}/${name}`).toSorted())
    t.same(await b.persistence.subscriptionsByTopic(`device/${d}/rpc/5/6`), [])
    t.same(await b.persistence.subscriptionsByTopic('$SYS/anything'), [])
    t.same(await b.persistence.subscriptionsByClient({ id: `${d}/*` }), [{ topic: command(d), qos: 1 }])
    await b.persistence.removeSubscriptions({ id: `${d}/*` }, [command(d)])
    await b.persistence.cleanSubscriptions({ id: `${d}/plain` })
    t.same(await a.persistence.subscriptionsByClient({ id: `${d}/*` }), [])
    t.equal((await a.persistence.subscriptionsByTopic(`device/${d}/rpc/5`)).length, names.length - 2)
  })

  test('the clients of one device are listed, the one seen longest ago first', async (t) => {
    const { a, b } = await openBoth(t)
    const subscription = [{ topic: command(d), qos: 1 }]
    for (const name of ['one', 'two', 'three']) {
      await a.persistence.addSubscriptions({ id: `${d}/${name}` }, subscription)
      await later()
    }
    await b.persistence.subscriptionsByClient({ id: `${d}/one` })
    t.same(await b.persistence.clientsWithPrefix(`${d}/`, 10), [`${d}/two`, `${d}/three`, `${d}/one`])
    t.same(await b.persistence.clientsWithPrefix(`${d}/`, 1), [`${d}/two`])
    t.same(await b.persistence.clientsWithPrefix(`${other}/`, 10), [])
  })

  test('a session that ends leaves nothing behind, and what another one still waits for stays', async (t) => {
    const { prefix, a, b } = await openBoth(t)
    const [one, two] = [{ id: `${d}/one` }, { id: `${d}/two` }]
    for (const client of [one, two])
      await a.persistence.addSubscriptions(client, [{ topic: command(d), qos: 1 }])
    const both = [{ clientId: one.id }, { clientId: two.id }]
    await a.persistence.outgoingEnqueueCombi(both, publication(`device/${d}/rpc/1`, 'x', 1))
    await a.persistence.outgoingEnqueueCombi(both.slice(0, 1), publication(`device/${d}/rpc/2`, 'y', 2))
    t.same([await b.persistence.queueLength(one.id), await b.persistence.queueLength(two.id)], [2, 1])
    await b.persistence.cleanSubscriptions(one)
    t.equal(await a.persistence.queueLength(one.id), 0)
    t.same(
      (await collect(a.persistence.outgoingStream(two))).map(({ topic }) => topic),
      [`device/${d}/rpc/1`],
    )
    t.same(await collect(a.persistence.outgoingStream({ ...two, clean: true })), [])
    await a.persistence.removeSubscriptions(two, [command(d)])
    t.same(await keys(prefix), [])
  })

  test('retained messages are bytes, are found by name and by wildcard, and only those of the device', async (t) => {
    const { a, b } = await openBoth(t)
    const bytes = '\0\xff\r\n{}'
    await a.persistence.storeRetained(publication(`device/${d}/attributes`, bytes))
    await a.persistence.storeRetained(publication(`device/${other}/attributes`, 'other'))
    for (const filter of ['attributes', '+', '#']) {
      const found = await collect(
        b.persistence.createRetainedStreamCombi([`device/${d}/${filter}`, command(d)]),
      )
      t.same(
        found.map(({ topic, payload }) => [topic, payload.toString('latin1')]),
        [[`device/${d}/attributes`, bytes]],
      )
    }
    await b.persistence.storeRetained(publication(`device/${d}/attributes`, ''))
    t.same(await collect(a.persistence.createRetainedStreamCombi([`device/${d}/#`])), [])
  })

  test('a will belongs to the broker that its client is connected to', async (t) => {
    const { a, b } = await openBoth(t)
    const [client, gone] = [{ id: `${d}/moves` }, { id: `${d}/gone` }]
    await a.persistence.putWill(client, publication('t', 'old'))
    await a.persistence.putWill(gone, publication('t', 'gone'))
    // The client connects to the second broker; then the first one notices.
    await b.persistence.delWill(client)
    await b.persistence.putWill(client, publication('t', 'new'))
    await a.persistence.delWill({ ...client, brokerId: a.id })
    const sweep = async () =>
      (await collect(b.persistence.streamWill({ [b.id]: 1 }))).map(({ payload }) => String(payload))
    const first = await waitFor(async () => {
      const found = await sweep()
      return found.length > 0 && found
    }, 'the will of a broker that is not heard')
    t.same(first, ['gone'])
    t.same(await sweep(), [], 'claimed: no other broker publishes it as well')
    t.same(
      await waitFor(async () => {
        const found = await sweep()
        return found.length > 0 && found
      }, 'the will again, since nobody has deleted it'),
      ['gone'],
    )
    t.same(await collect(b.persistence.streamWill({ [a.id]: 1, [b.id]: 1 })), [], 'the broker lives')
    await b.persistence.delWill({ ...gone, brokerId: a.id })
    const left = await collect(a.persistence.streamWill({ [a.id]: 1 }))
    t.same(
      left.map(({ payload }) => String(payload)),
      ['new'],
      'what the first broker said late has deleted nothing',
    )
    await b.persistence.delWill({ ...client, brokerId: b.id })
    await waitFor(async () => (await sweep()).length === 0, 'no will')
  })

  test('while Redis is away nothing hangs and nothing ends the process; what was missed is put right', async (t) => {
    // So slow that both have connected before either of them has listened for long.
    const { a, b } = await openBoth(t, 1000)
    const [kept, dropped] = [`${d}/kept`, `${d}/dropped`]
    await a.persistence.putWill({ id: dropped }, publication('t', 'dropped'))
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', onUnhandled)
    t.teardown(() => process.off('unhandledRejection', onUnhandled))
    await server.kill()
    await waitFor(() => !a.persistence.available(), 'the outage to be noticed')
    a.clients[kept] = { will: publication('t', 'kept') }
    a.clients[dropped] = { will: null }
    await a.persistence.putWill({ id: kept }, publication('t', 'kept'))
    await a.persistence.delWill({ id: dropped })
    await a.persistence.cleanSubscriptions({ id: kept })
    t.same(await collect(a.persistence.createRetainedStreamCombi([`device/${d}/#`])), [])
    await t.rejects(a.persistence.subscriptionsByClient({ id: kept }))
    await t.rejects(a.persistence.subscriptionsByTopic(`device/${d}/rpc/1`))
    await t.rejects(
      a.persistence.outgoingEnqueueCombi([{ clientId: kept }], publication(`device/${d}/rpc/1`, 'x')),
    )
    t.same(await collect(b.persistence.streamWill({})), [], 'who does not hear anybody declares nobody dead')
    const closing = await openOne(t, 'closing:')
    await closing.sessions.close()
    await server.restart()
    await waitFor(() => a.persistence.available() && b.persistence.available(), 'the connections')
    t.same(await collect(b.persistence.streamWill({})), [], 'nor who has only begun to listen')
    const found = await waitFor(async () => {
      const wills = await collect(b.persistence.streamWill({}))
      return wills.length > 0 && wills
    }, 'the wills')
    t.same(
      found.map(({ clientId }) => clientId),
      [kept],
    )
    t.same(unhandled, [])
  })

  test('stop', async () => server.stop())
}
