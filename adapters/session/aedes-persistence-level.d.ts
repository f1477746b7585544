declare module 'aedes-persistence-level' {
  import type { Readable } from 'node:stream'
  import type { OrderedStore } from './ordered-store.ts'

  interface LevelPersistence {
    createRetainedStream(filter: string): Readable
  }
  export default function createPersistence(store: OrderedStore): LevelPersistence
}
