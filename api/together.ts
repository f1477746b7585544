import { CodedError } from '../domain/errors.ts'

/** What waits for one kind of work; one more is refused: behind so many, an answer would come too late. */
const WAITING_MAX = 5000

interface Limits {
  /** Of what one call of `work` gets. */
  readonly batchMax: number
  /** Calls of `work` at once; 1 when it is not said. */
  readonly runsMax?: number
}

/**
 * Does with one call what many ask for one by one: what comes while a call is under way goes with the next one, without added delay. So
 * a call always begins after everything that it serves was asked for. Where several may be under way, another one begins once as many wait
 * for it as the last one serves: the fewer come, the sooner, and the more come, the more go together.
 * @param work answers each of the batch, in its order
 * @returns what rejects with `service.unavailable` when too much is waiting, and with what `work` throws
 */
export function together<Q, A>(
  work: (batch: readonly Q[]) => Promise<readonly A[]>,
  { batchMax, runsMax = 1 }: Limits,
): (asked: Q) => Promise<A> {
  interface Waiting extends PromiseWithResolvers<A> {
    readonly asked: Q
  }
  const waiting: Waiting[] = []
  let runs = 0
  let lastServes = 0

  async function run(): Promise<void> {
    runs++
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax)
      lastServes = batch.length
      try {
        const answers = await work(batch.map(({ asked }) => asked))
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as A)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    runs--
  }

  return async (asked) => {
    if (waiting.length >= WAITING_MAX) throw new CodedError('service.unavailable')
    const one: Waiting = { asked, ...Promise.withResolvers<A>() }
    waiting.push(one)
    if (runs === 0 || (runs < runsMax && waiting.length >= lastServes)) void run()
    return one.promise
  }
}
