import { CodedError } from '../domain/errors.ts'

/** What waits for one kind of work; one more is refused: behind so many, an answer would come too late. */
const WAITING_MAX = 5000

interface Limits {
  /** Of what one call of `work` gets. */
  readonly batchMax: number
}

/**
 * Does with one call what many ask for one by one: what comes while a call is under way goes with the next one, without added delay. So
 * a call always begins after everything that it serves was asked for.
 * @param work answers each of the batch, in its order
 * @returns what rejects with `service.unavailable` when too much is waiting, and with what `work` throws
 */
export function together<Q, A>(
  work: (batch: readonly Q[]) => Promise<readonly A[]>,
  { batchMax }: Limits,
): (asked: Q) => Promise<A> {
  interface Waiting extends PromiseWithResolvers<A> {
    readonly asked: Q
  }
  const waiting: Waiting[] = []
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax)
      try {
        const answers = await work(batch.map(({ asked }) => asked))
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as A)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }

  return async (asked) => {
    if (waiting.length >= WAITING_MAX) throw new CodedError('service.unavailable')
    const one: Waiting = { asked, ...Promise.withResolvers<A>() }
    waiting.push(one)
    if (!isRunning) void run()
    return one.promise
  }
}
