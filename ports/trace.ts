import type { Batch } from '../domain/batch.ts'

/**
 * Tells how long each step of a reading's way took. Parts have one only where traces are wanted; without it a step costs one look at a variable.
 * What travels from step to step is a `traceparent` (W3C Trace Context): in packets, in batches, and with the changes of breaches.
 */
export interface Tracer {
  /** A trace begins here, if this one is taken: few are. */
  begin(name: string, facts: Facts): Span | undefined
  /** A step of a trace that has begun elsewhere. */
  follow(name: string, traceparent: string, facts: Facts): Span
}

export type Facts = Readonly<Record<string, string | number>>

export interface Span {
  readonly traceparent: string
  /** For the log. */
  readonly ids: { readonly traceId: string; readonly spanId: string }
  /** The step is over; it failed when there is an error. Once. */
  end(error?: unknown): void
}

/** The steps of the traces in some batches. */
export interface Following {
  /** Under which the next steps are, by device. */
  readonly parents: ReadonlyMap<string, string>
  end(error?: unknown): void
}

/** Begins a step in each of the traces that the batches carry; undefined when there are none, as nearly always. */
export function followBatches(
  tracer: Tracer | undefined,
  name: string,
  batches: Iterable<Pick<Batch, 'id' | 'traces'>>,
): Following | undefined {
  if (!tracer) return undefined
  const spans: Span[] = []
  const parents = new Map<string, string>()
  for (const { id, traces = [] } of batches)
    for (const { deviceId, traceparent } of traces) {
      const span = tracer.follow(name, traceparent, { deviceId, batchId: id })
      spans.push(span)
      parents.set(deviceId, span.traceparent)
    }
  if (spans.length === 0) return undefined
  return {
    parents,
    end(error) {
      for (const span of spans) span.end(error)
    },
  }
}
