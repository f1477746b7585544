declare module 'aedes-persistence-redis' {
  import type { Readable } from 'node:stream'
  import type { Redis } from 'ioredis'

  interface ClientKey {
    readonly id: string
    readonly clean?: boolean
  }
  interface RedisPersistence {
    outgoingStream(client: ClientKey): Readable
    outgoingEnqueueCombi(subscribers: readonly { readonly clientId: string }[], packet: object): Promise<void>
    outgoingClearMessageId(client: ClientKey, packet: object): Promise<object | undefined>
  }
  export default function createPersistence(options: {
    readonly conn: Redis
    readonly packetTTL: () => number
  }): RedisPersistence
}
