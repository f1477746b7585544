import type { Batch } from '../../domain/batch.ts'
import { QUEUES, type Parked, type QueueName } from '../../ports/queue.ts'
import { learn, type EmbeddedState } from './embedded-flow.ts'

/** The oldest parked batches of a queue. Their ids name the queue and the message. */
export async function listParked(state: EmbeddedState, queue: QueueName, limit: number): Promise<Parked[]> {
  const rows = await state.remote.call('parked', { queue, limit: Math.max(0, Math.trunc(limit)) })
  return rows.map(({ id, body, attempts, parkedAt, error }) => {
    const batch = JSON.parse(body) as Batch
    return { id: `${queue}-${id}`, queue, batch, attempts, parkedAt, error }
  })
}

/** Puts a parked batch back with all of its tries; it comes after what is waiting. */
export async function replayParked(state: EmbeddedState, parkedId: string): Promise<boolean> {
  const key = parseId(parkedId)
  if (!key) return false
  const { bytes, facts } = await state.remote.call('replay', key)
  if (bytes === undefined) return false
  const lane = state.lanes[key.queue]
  unpark(state, key.queue, bytes)
  lane.batches += 1
  lane.bytes += bytes
  learn(state, lane, facts)
  return true
}

/** Deletes a parked batch for good. */
export async function discardParked(state: EmbeddedState, parkedId: string): Promise<boolean> {
  const key = parseId(parkedId)
  if (!key) return false
  const { bytes, facts } = await state.remote.call('discard', key)
  if (bytes === undefined) return false
  unpark(state, key.queue, bytes)
  learn(state, state.lanes[key.queue], facts)
  return true
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
