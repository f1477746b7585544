import { facilityId, itemId, ITEMS, lotInUse, pointId, type Size } from './supply-seed.ts'

/** What a process that posts events is told, over IPC. */
export interface Job {
  /** Of the API, or of the database. */
  readonly url: string
  readonly clients: number
  readonly seconds: number
  /** So many events, whatever it takes; undefined: as many as the seconds allow. */
  readonly events?: number
  readonly size: Size
  readonly userId: string
  readonly token: string
}

export interface Outcome {
  readonly latencies: readonly number[]
  readonly errors: number
  readonly firstError?: string
  readonly seconds: number
}

/** One event anywhere in the country: nine of ten are consumption, one is a receipt. */
export function drawEvent(size: Size) {
  const facility = Math.floor(Math.random() * size.facilities)
  const one = Math.floor(Math.random() * ITEMS)
  return {
    facility: facilityId(facility),
    point: pointId(facility),
    item: itemId(one),
    lot: lotInUse(facility, one, size),
    kind: Math.random() < 0.1 ? ('receive' as const) : ('consume' as const),
    doses: 1 + Math.floor(Math.random() * 10),
  }
}

/** Does the jobs that the parent sends, one after the other. */
export function serve(run: (job: Job) => Promise<Outcome>): void {
  process.on('message', (job: Job) => {
    run(job).then(
      (outcome) => process.send?.(outcome),
      (error: unknown) => process.send?.({ latencies: [], errors: 1, firstError: String(error), seconds: 0 }),
    )
  })
}
