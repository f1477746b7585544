import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { DehydratedState } from '@tanstack/react-query'
import type { Operations } from './operations.ts'

export type NewStockEvent = Operations['recordStockEvent']['body']

/** Why the API did not take what was sent to it, in the language that the person had then. */
export interface Refusal {
  readonly code: string
  readonly title: string
  readonly detail: string | undefined
}

/** Something that a person did to stock and that the server has not confirmed yet. */
export interface Waiting {
  /** UUIDv7, made here: the id of the event and its Idempotency-Key, so that twice is once. */
  readonly id: string
  readonly userId: string
  readonly facilityId: string
  readonly itemId: string
  readonly madeAt: number
  /** What it is about, for lists: item and lot. */
  readonly about: string
  readonly asked:
    | { readonly operation: 'recordStockEvent'; readonly body: NewStockEvent }
    | { readonly operation: 'reverseStockEvent'; readonly eventId: string }
  readonly refusal?: Refusal
}

interface Kept extends DBSchema {
  answers: { key: string; value: DehydratedState }
  waiting: { key: string; value: Waiting }
}

let opened: Promise<IDBPDatabase<Kept>> | undefined

/** What this browser keeps on the device. Rejects where a browser keeps nothing, as some private windows do. */
export async function kept(): Promise<IDBPDatabase<Kept>> {
  opened ??= openDB<Kept>('coldstream', 1, {
    upgrade(db) {
      db.createObjectStore('answers')
      db.createObjectStore('waiting', { keyPath: 'id' })
    },
  })
  return opened
}

/** In localStorage: tells the other tabs that what waits has changed. */
export const WAITING_CHANGED = 'coldstream.waiting'

/** Nothing that was seen is left for the next person. What waits to be sent stays: it is sent for whoever made it, when they are back. */
export async function forgetAnswers(): Promise<void> {
  localStorage.removeItem(WAITING_CHANGED)
  await (await kept()).clear('answers')
}
