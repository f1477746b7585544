import type { QueryClient } from '@tanstack/react-query'
import type { OperationId } from './api.ts'
import { bearer } from './session.ts'

/** At most one round of questions in this time, however much comes by. */
const COALESCE_MS = 500
const BACK_OFF_MS = 1000
const BACK_OFF_MS_MAX = 30_000
/** An event larger than this is none of ours. */
const EVENT_CHARS_MAX = 4_194_304

/** What is out of date after an event of the stream. A screen adds its operations here. */
const OUTDATED: Readonly<Record<string, readonly OperationId[]>> = {
  breaches: ['listBreaches', 'getBreach', 'listNotifications', 'listEquipmentStates'],
  // What is sent and received moves stock.
  stock: [
    'listStock',
    'listStockEvents',
    'getStockCard',
    'listOrders',
    'getOrder',
    'listShipments',
    'getShipment',
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
    timer ??= setTimeout(() => {
      timer = undefined
      const stale = [...outdated]
      outdated.clear()
      for (const operation of stale) void client.invalidateQueries({ queryKey: [operation] })
    }, COALESCE_MS)
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
