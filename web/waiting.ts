import type { QueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { v7 } from 'uuid'
import { call, Problem } from './api.ts'
import { kept, WAITING_CHANGED, type Refusal, type Waiting } from './kept.ts'
import { rememberedPerson } from './session.ts'

const LOCK = 'coldstream.send'
/** More on one device is nobody's week. */
const WAITING_MAX = 500
const SEND_MS_MAX = 30_000
/** A form waits this long for an answer before it says that the network is slow. */
const PATIENCE_MS = 8000
const AGAIN_MS = 15_000

const listeners = new Set<() => void>()
let list: readonly Waiting[] = []
let sending: Promise<void> = Promise.resolve()
let afterSent: () => void = () => undefined

window.addEventListener('storage', ({ key }) => key === WAITING_CHANGED && void look())

/** What this person did here and the server has not confirmed, the oldest first. */
export function useWaiting(): readonly Waiting[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => list,
  )
}

/**
 * Sends what waits whenever there is a network, as long as somebody is logged in.
 * @returns stops it
 */
export function startSending(client: QueryClient): () => void {
  afterSent = () => {
    for (const operation of ['listStock', 'listStockLevels', 'getStockCard', 'listStockEvents'])
      void client.invalidateQueries({ queryKey: [operation] })
  }
  window.addEventListener('online', send)
  const timer = setInterval(send, AGAIN_MS)
  void look().then(send)
  return () => {
    window.removeEventListener('online', send)
    clearInterval(timer)
    list = []
  }
}

/**
 * Keeps on the device what was done, then sends it.
 * @param replaces the id of a refused one that this is said instead of; it goes when this is kept, not before
 * @returns whether the server has it; otherwise it waits and is sent later
 * @throws Problem when the server refuses it; then nothing is kept but what replaces another, which waits for a decision as that did
 */
export async function record(
  done: Pick<Waiting, 'facilityId' | 'itemId' | 'about' | 'asked'>,
  replaces?: string,
): Promise<boolean> {
  const person = rememberedPerson()
  if (!person) throw new TypeError('nobody is logged in')
  if (replaces === undefined && list.length >= WAITING_MAX) throw new RangeError('too much is waiting')
  const id = v7()
  const change = (await kept()).transaction('waiting', 'readwrite')
  await Promise.all([
    change.store.put({ ...done, id, userId: person.id, madeAt: Date.now() }),
    replaces !== undefined && change.store.delete(replaces),
    change.done,
  ])
  await changed()
  await Promise.race([send(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))])
  const still = await (await kept()).get('waiting', id)
  if (!still?.refusal) return still === undefined
  if (replaces === undefined) await discard(id)
  const { code, title, detail } = still.refusal
  throw new Problem(409, { code, title, ...(detail !== undefined && { detail }) })
}

/** Lets go of what the person no longer wants to send; what waited behind it goes on. */
export async function discard(id: string): Promise<void> {
  await (await kept()).delete('waiting', id)
  await changed()
  void send()
}

/** One tab at a time. Without locks (an address without https) two tabs may send the same: the id makes it once all the same. */
export async function send(): Promise<void> {
  if (!navigator.onLine) return
  const locks = navigator.locks as LockManager | undefined
  sending = sending
    .then(async () => (locks ? locks.request(LOCK, sendAll) : sendAll()))
    .catch(() => undefined)
  return sending
}

/** In the order in which it was done. What comes after a refused one at the same place waits until somebody has decided about that. */
async function sendAll(): Promise<void> {
  for (let next = await first(); next; next = await first()) {
    try {
      await sendOne(next)
    } catch (error) {
      if (!isRefusal(error)) return
      const { code, message, detail } = error
      await refuse(next.id, { code, title: message, detail })
      await changed()
      // Why it was refused is seen in what is there now.
      afterSent()
      continue
    }
    await (await kept()).delete('waiting', next.id)
    await changed()
    afterSent()
  }
}

/** What the person let go of while it was on its way stays away. */
async function refuse(id: string, refusal: Refusal): Promise<void> {
  const change = (await kept()).transaction('waiting', 'readwrite')
  const still = await change.store.get(id)
  if (still) await change.store.put({ ...still, refusal })
  await change.done
}

async function first(): Promise<Waiting | undefined> {
  await look()
  const blocked = new Set(list.filter(({ refusal }) => refusal).map(({ facilityId }) => facilityId))
  return list.find(({ facilityId }) => !blocked.has(facilityId))
}

async function sendOne({ id, asked }: Waiting): Promise<void> {
  const once = { key: id, signal: AbortSignal.timeout(SEND_MS_MAX) }
  if (asked.operation === 'recordStockEvent')
    await call('recordStockEvent', { body: { ...asked.body, id }, ...once })
  else await call('reverseStockEvent', { params: { id: asked.eventId }, body: { id }, ...once })
}

/** Everything else passes: no network, a server that starts, a session that has to be renewed. */
function isRefusal(error: unknown): error is Problem {
  return (
    error instanceof Problem &&
    error.status >= 400 &&
    error.status < 500 &&
    ![401, 408, 429].includes(error.status)
  )
}

async function changed(): Promise<void> {
  localStorage.setItem(WAITING_CHANGED, v7())
  await look()
}

async function look(): Promise<void> {
  const person = rememberedPerson()
  const all = person ? await (await kept()).getAll('waiting') : []
  // UUIDv7 sorts by time.
  list = all.filter(({ userId }) => userId === person?.id)
  for (const listener of listeners) listener()
}
