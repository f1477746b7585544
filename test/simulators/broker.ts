import { Aedes, type Client } from 'aedes'
import { createServer, type AddressInfo } from 'node:net'

export interface TestBroker {
  readonly url: string
  readonly port: number
  /** Payloads in the order of arrival, by user name. */
  readonly received: { token: string; topic: string; payload: string }[]
  /** Drops every connection. */
  disconnectAll(): void
  close(): Promise<void>
}

const tokens = new WeakMap<Client, string>()

/** A real broker with no durability, for tests of what the simulators send. Tokens that begin with `bad` are refused. */
export async function startTestBroker(port = 0): Promise<TestBroker> {
  const received: TestBroker['received'] = []
  const broker = await Aedes.createBroker({
    authenticate: (client, username, _password, done) => {
      tokens.set(client, username ?? '')
      done(null, !(username ?? '').startsWith('bad'))
    },
    authorizePublish: (client, packet, done) => {
      if (client)
        received.push({
          token: tokens.get(client) ?? '',
          topic: packet.topic,
          payload: String(packet.payload),
        })
      done(null)
    },
  })
  const server = createServer(broker.handle)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = (server.address() as AddressInfo).port
  const clients = new Set<Client>()
  broker.on('client', (client) => clients.add(client))
  broker.on('clientDisconnect', (client) => clients.delete(client))
  return {
    url: `mqtt://127.0.0.1:${bound}`,
    port: bound,
    received,
    disconnectAll: () => clients.forEach((client) => client.conn.destroy()),
    async close() {
      clients.forEach((client) => client.conn.destroy())
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
