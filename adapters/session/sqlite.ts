import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import createPersistence from 'aedes-persistence-level'
import { openOrderedStore, type OrderedStore } from './ordered-store.ts'

/** What MQTT has to remember across restarts: retained messages, persistent sessions with their queued messages, wills. */
export interface Sessions {
  /** For Aedes. */
  readonly persistence: object
  close(): Promise<void>
}

/**
 * Opens the sessions kept in a folder, made if missing. What was written survives a power cut.
 * Throws when another program has the folder open.
 */
export async function openSessions(folder: string): Promise<Sessions> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const store = openOrderedStore(join(folder, 'sessions.sqlite'))
  const persistence = Object.assign(createPersistence(store), {
    createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(retained(store, filters)),
    clientsWithPrefix: (prefix: string, limit: number) => clientsWithPrefix(store, prefix, limit),
    forgetClient: (clientId: string) => forgetClient(store, clientId),
  })
  return { persistence, close: () => store.close() }
}

// The library reads every retained message there is for each filter; with a fleet that comes back after an outage that is
// the square of its size. So it gets to see only the keys that begin as the filter does, up to its first wildcard.
async function* retained(store: OrderedStore, filters: readonly string[]): AsyncGenerator<unknown> {
  for (const filter of filters) {
    const gte = `retained:${filter.split(/[+#]/, 1)[0]}`
    const values = () => store.values({ gte, lt: `${gte}\u{10ffff}` })
    yield* createPersistence({ ...store, values }).createRetainedStream(filter)
  }
}

const perClient = (kind: string, clientId: string): string => `${kind}:${encodeURIComponent(clientId)}`

/** Ids of clients with kept subscriptions that begin with `prefix`. */
function clientsWithPrefix(store: OrderedStore, prefix: string, limit: number): string[] {
  const clients: string[] = []
  const lt = `${perClient('subscriptions', prefix)}\u{10ffff}`
  let gte = perClient('subscriptions', prefix)
  while (clients.length < limit) {
    const [key] = store.keys({ gte, lt }, 1)
    const encoded = key?.split(':')[1]
    if (encoded === undefined) break
    clients.push(decodeURIComponent(encoded))
    // ';' is the next byte after the ':' that ends a client id.
    gte = `subscriptions:${encoded};`
  }
  return clients
}

/** Drops the messages of a client. Its subscriptions are `cleanSubscriptions`' to drop: those are in memory too. */
async function forgetClient(store: OrderedStore, clientId: string): Promise<void> {
  for (const kind of ['outgoing', 'outgoing-id', 'incoming']) {
    const key = perClient(kind, clientId)
    await store.clear({ gte: `${key}:`, lt: `${key};` })
  }
}
