import type { QueryClient } from '@tanstack/react-query'
import type { OperationId } from './api.ts'
import { bearer } from './session.ts'

/** At most one round of questions in this time, however much comes by. */
const COALESCE_MS = 500
/** What took long to answer is asked again later, so that many who watch a large place leave the server room for others. */
const REST_FACTOR = 9
const REST_MS_MAX = 10_000
/** Nor are the others waited for longer than this. */
const ROUND_MS_MAX = 10_000
const BACK_OFF_MS = 1000
const BACK_OFF_MS_MAX = 30_000
/** An event larger than this is none of ours. */
const EVENT_CHARS_MAX = 4_194_304

/** What is out of date after an event of the stream. A screen adds its operations here. */
const OUTDATED: Readonly<Record<string, readonly OperationId[]>> = {
  breaches: [
    'listBreaches',
    'getBreach',
    'listNotifications',
    'listEquipmentStates',
    'getOverview',
    'countEquipmentStates',
  ],
  // What is sent and received moves stock.
  stock: [
    'listStock',
    'listStockEvents',
    'getStockCard',
    'listOrders',
    'getOrder',
    'listShipments',
    'getShipment',
    'getOverview',
  ],
  'time-to-breach': ['listTimeToBreach', 'getTimeToBreach'],
  readings: ['listReadings', 'listEquipmentStates'],
}

/**
 * Listens to the live stream while the tab is visible, and asks again for what it outdates. The stream is a hint and nothing of it is kept, so after a
 * gap everything is asked again. Hidden tabs let go of it: a browser has six connections to a server, and a person five streams.
 * @returns stops it
 */
export function startLive(client: QueryClient): () => void {
  const outdated = new Set<OperationId>()
  let open: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const note = (event: string) => {
    for (const operation of OUTDATED[event] ?? []) outdated.add(operation)
    timer ??= setTimeout(() => void round(), COALESCE_MS)
  }
  // One at a time: a question that is asked anew before its answer is there would never be answered.
  const round = async () => {
    const stale = [...outdated]
    outdated.clear()
    const startedAt = performance.now()
    const answers = stale.map((operation) => client.invalidateQueries({ queryKey: [operation] }))
    await Promise.race([Promise.all(answers), new Promise((resolve) => setTimeout(resolve, ROUND_MS_MAX))])
    const tookMs = performance.now() - startedAt
    const restMs = Math.min(Math.max(tookMs * REST_FACTOR, COALESCE_MS), REST_MS_MAX)
    timer = setTimeout(() => {
      timer = undefined
      if (outdated.size > 0) void round()
    }, restMs)
  }
  const follow = () => {
    if (document.hidden) {
      open?.abort()
      open = undefined
    } else if (!open) {
      open = new AbortController()
      void listen(open.signal, note, () => void client.invalidateQueries())
    }
  }
  document.addEventListener('visibilitychange', follow)
  follow()
  return () => {
    document.removeEventListener('visibilitychange', follow)
    open?.abort()
    outdated.clear()
    clearTimeout(timer)
  }
}

async function listen(
  signal: AbortSignal,
  note: (event: string) => void,
  afterGap: () => void,
): Promise<void> {
  for (let failures = 0, first = true; !signal.aborted; first = false) {
    try {
      const token = await bearer()
      if (token === undefined) return
      const response = await fetch('/v1/stream', { headers: { authorization: `Bearer ${token}` }, signal })
      if (!response.ok || !response.body) throw new Error(`stream: ${response.status}`)
      failures = 0
      if (!first) afterGap()
      for await (const event of eventsOf(response.body)) note(event)
    } catch {
      failures++
    }
    await pause(Math.min(BACK_OFF_MS * 2 ** failures, BACK_OFF_MS_MAX) * (0.5 + Math.random() / 2), signal)
  }
}

/** The names of the events of a stream, as they come. */
async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    if (text.length > EVENT_CHARS_MAX) throw new Error('an event has no end')
    for (const block of blocks) {
      const name = /^event: (.+)$/m.exec(block)?.[1]
      if (name !== undefined) yield name
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
