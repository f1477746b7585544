import type { Redis } from 'ioredis'
import { packed, unpacked, type Publication } from './redis-publication.ts'

/** As much of Aedes as the wills need. */
export interface WillBroker {
  readonly id: string
  readonly opts: { readonly heartbeatInterval: number }
  readonly clients: Readonly<Record<string, { readonly will: Publication | null }>>
}

interface ClientKey {
  readonly id: string
  /** Given when a connection ends, not when one begins. */
  readonly brokerId?: string
}

type StoredWill = Publication & { readonly clientId: string; readonly brokerId: string }

interface Deps {
  readonly redis: Redis
  readonly broker: () => WillBroker
  /** See `Channels`. */
  readonly linkedSince: () => number | undefined
  readonly onError: (error: unknown) => void
}

const KEY = 'wills'
const SCAN_COUNT = 100
const REASSERT_COUNT = 500

/** A will begins with the id of its broker, which is all of it that has to be compared. */
const DELETE_IF_OWN = `
local will = redis.call('HGET', KEYS[1], ARGV[1])
if will and string.sub(will, 1, string.len(ARGV[2])) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0`

/**
 * The wills of connected clients, one per client whichever broker it is connected to, so that the one that takes a client over also
 * takes back what the last one would have published [MQTT-3.1.2-8]. A connection does not depend on its will being kept: what could not
 * be written or deleted while Redis was away is put right by `reassert`.
 */
export function createWills({ redis, broker, linkedSince, onError }: Deps) {
  const put = (clientId: string, will: Publication): Promise<number> =>
    redis.hset(KEY, clientId, `${broker().id} ${packed(will)}`)

  // By then every living broker was heard, and has put its own wills right.
  const knowsWhoLives = (): boolean => {
    const since = linkedSince()
    return since !== undefined && performance.now() - since >= 2 * broker().opts.heartbeatInterval
  }

  // Only one broker publishes a will: its reading has the time at which it is handed over, and two would be two readings.
  const claim = async (clientId: string): Promise<boolean> => {
    const { id, opts } = broker()
    return (await redis.set(`will-claim:${clientId}`, id, 'PX', 3 * opts.heartbeatInterval, 'NX')) === 'OK'
  }

  async function* ofDeadBrokers(alive: Readonly<Record<string, unknown>>): AsyncGenerator<StoredWill> {
    if (!knowsWhoLives()) return
    for await (const page of redis.hscanStream(KEY, { count: SCAN_COUNT })) {
      for (const will of toWills(page as string[])) {
        const isOurs = will.brokerId === broker().id || broker().clients[will.clientId] !== undefined
        if (!isOurs && alive[will.brokerId] === undefined && (await claim(will.clientId))) yield will
      }
    }
  }

  async function reassert(): Promise<void> {
    const clients = Object.entries(broker().clients)
    for (let i = 0; i < clients.length; i += REASSERT_COUNT) {
      const some = clients.slice(i, i + REASSERT_COUNT)
      await Promise.all(some.map(([id, { will }]) => (will ? put(id, will) : redis.hdel(KEY, id))))
    }
  }

  return {
    async putWill(client: ClientKey, will: Publication): Promise<void> {
      await put(client.id, will).catch(onError)
    },
    async delWill({ id, brokerId }: ClientKey): Promise<void> {
      const deleted =
        brokerId === undefined ? redis.hdel(KEY, id) : redis.eval(DELETE_IF_OWN, 1, KEY, id, brokerId)
      await deleted.catch(onError)
    },
    ofDeadBrokers,
    /** Writes what this broker knows of its connected clients. */
    reassert: () => reassert().catch(onError),
  }
}

// HSCAN gives names and values in turn.
function toWills(page: readonly string[]): StoredWill[] {
  return page.flatMap((clientId, index) => {
    const value = page[index + 1]
    if (index % 2 === 1 || value === undefined) return []
    const space = value.indexOf(' ')
    return [{ ...unpacked(value.slice(space + 1)), clientId, brokerId: value.slice(0, space) }]
  })
}
