import type { Batch } from '../../domain/batch.ts'
import { QUEUES, type Parked, type ParkedQuery, type QueueName } from '../../ports/queue.ts'
import { learn, type EmbeddedState } from './embedded-flow.ts'
import { enter } from './embedded-lane.ts'
import type { AllFacts, StoredParked } from './embedded-worker.ts'

/** Parked batches of a queue, the oldest first. Their ids name the queue and the message. */
export async function listParked(
  { remote }: EmbeddedState,
  queue: QueueName,
  { limit, after }: ParkedQuery,
): Promise<Parked[]> {
  const id = after === undefined ? 0 : parseId(after)?.id
  if (id === undefined) return []
  const rows = await remote.call('parked', { queue, after: id, limit: Math.max(0, Math.trunc(limit)) })
  return rows.map((row) => parkedFrom(queue, row))
}

export async function findParked({ remote }: EmbeddedState, parkedId: string): Promise<Parked | undefined> {
  const key = parseId(parkedId)
  const row = key && (await remote.call('findParked', key))
  return key && row && parkedFrom(key.queue, row)
}

function parkedFrom(queue: QueueName, { id, body, ...row }: StoredParked): Parked {
  return { ...row, id: `${queue}-${id}`, queue, batch: JSON.parse(body) as Batch }
}

/** Puts a parked batch back with all of its tries; it comes after what is waiting. */
export async function replayParked(state: EmbeddedState, parkedId: string): Promise<boolean> {
  const key = parseId(parkedId)
  if (!key) return false
  const { bytes, rejudged, facts } = await state.remote.call('replay', key)
  if (bytes === undefined) return false
  unpark(state, key.queue, bytes)
  enter(state.lanes[key.queue], bytes)
  if (rejudged) enter(state.lanes.rejudge, bytes)
  learnAll(state, facts)
  return true
}

/** Deletes a parked batch for good. */
export async function discardParked(state: EmbeddedState, parkedId: string): Promise<boolean> {
  const key = parseId(parkedId)
  if (!key) return false
  const { bytes, facts } = await state.remote.call('discard', key)
  if (bytes === undefined) return false
  unpark(state, key.queue, bytes)
  learnAll(state, facts)
  return true
}

function learnAll(state: EmbeddedState, facts: AllFacts): void {
  for (const queue of QUEUES) learn(state, state.lanes[queue], facts[queue])
}

function unpark(state: EmbeddedState, queue: QueueName, bytes: number): void {
  state.lanes[queue].parked -= 1
  state.lanes[queue].parkedBytes -= bytes
}

function parseId(parkedId: string): { queue: QueueName; id: number } | undefined {
  const [, name, id] = /^([a-z]+)-(\d{1,15})$/.exec(parkedId) ?? []
  const queue = QUEUES.find((known) => known === name)
  return queue && { queue, id: Number(id) }
}
