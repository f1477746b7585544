import type { Consumer, Delivery, Verdict } from '../../ports/queue.ts'
import type { CountedRuling } from './embedded-committer.ts'
import { release, take, type Entry, type Lane } from './embedded-lane.ts'

export type Handler = (deliveries: readonly Delivery[]) => Promise<readonly Verdict[]>

/** What a consumer needs from the queue around it. */
export interface ConsumerDesk {
  /** True while nothing may be handed over: verdicts could not be kept. */
  paused(): boolean
  /** The window has room again. */
  refill(lane: Lane): void
  /** Becomes of the delivery what the handler said, within the limits. */
  decide(lane: Lane, entry: Entry, verdict: Verdict, error: string): CountedRuling
  keep(rulings: readonly CountedRuling[]): void
  flush(): Promise<void>
}

/** Hands the entries of a lane to the handler until it is stopped. */
export function startConsumer(
  lane: Lane,
  handler: Handler,
  deliveriesMax: number,
  desk: ConsumerDesk,
): Consumer {
  const life = { stopped: false }
  lane.consumers += 1
  const serving = serve()
  desk.refill(lane)

  async function serve(): Promise<void> {
    while (!life.stopped) {
      const entries = desk.paused() ? [] : take(lane, deliveriesMax)
      if (entries.length === 0) {
        await new Promise<void>((resolve) => lane.idle.push(resolve))
        continue
      }
      desk.keep(await judge(lane, entries, handler, desk))
      release(lane, entries)
      desk.refill(lane)
    }
  }

  let stopping: Promise<void> | undefined
  async function stop(): Promise<void> {
    life.stopped = true
    lane.consumers -= 1
    for (const go of lane.idle.splice(0)) go()
    await serving
    await desk.flush()
  }
  return { stop: () => (stopping ??= stop()) }
}

async function judge(lane: Lane, entries: readonly Entry[], handler: Handler, desk: ConsumerDesk) {
  const deliveries = entries.map(({ batch, attempts }) => ({ batch, attempt: attempts + 1 }))
  try {
    // Called from a turn of its own: a handler that works synchronously must not hold up the answers to publishers.
    await undefined
    const verdicts = await handler(deliveries)
    return entries.map((entry, index) =>
      desk.decide(lane, entry, verdicts[index] ?? 'retry', 'the handler asked for it'),
    )
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return entries.map((entry) => desk.decide(lane, entry, 'retry', reason))
  }
}
