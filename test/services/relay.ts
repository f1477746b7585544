import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A relay in front of a server, to disturb the network with. */
export interface Relay {
  /** That of the server, by way of the relay. */
  readonly url: string
  /**
   * From now on nothing passes, and nobody is told: connections stay, new ones are made and lead nowhere. What is sent meanwhile arrives after
   * `release`, as it does when a network is mended before TCP gives up.
   */
  hold(): void
  release(): void
  /** Ends the connections there are. */
  cut(): void
  /** Ends the connections there are, and new ones at once, until `accept`. */
  refuse(): void
  accept(): void
  stop(): Promise<void>
}

/** @param target of the server, with its port */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname: host, port } = new URL(target)
  const pairs = new Set<readonly [Socket, Socket]>()
  /** Accepted while nothing passes. */
  const halfway = new Set<Socket>()
  let state: 'open' | 'held' | 'refusing' = 'open'

  function join(socket: Socket): void {
    const upstream = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true })
    const pair = [socket, upstream] as const
    pairs.add(pair)
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => pairs.delete(pair))
    }
  }

  function cut(): void {
    for (const socket of [...[...pairs].flat(), ...halfway]) socket.destroy()
    halfway.clear()
  }

  const options = { noDelay: true, allowHalfOpen: true, pauseOnConnect: true }
  const server = createServer(options, (socket) => {
    if (state === 'refusing') socket.destroy()
    else if (state === 'open') join(socket)
    else halfway.add(socket.on('error', () => halfway.delete(socket)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)

  return {
    url: url.href,
    hold() {
      state = 'held'
      for (const socket of [...pairs].flat()) socket.unpipe().pause()
    },
    release() {
      state = 'open'
      for (const [one, other] of pairs) {
        one.pipe(other)
        other.pipe(one)
      }
      for (const socket of halfway) join(socket)
      halfway.clear()
    },
    cut,
    refuse() {
      state = 'refusing'
      cut()
    },
    accept: () => void (state = 'open'),
    async stop() {
      server.close()
      cut()
    },
  }
}
