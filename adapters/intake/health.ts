/** `up`: it works. `out`: it failed and is left alone for a while. `trial`: it answers again, and gets one request to show that it works. */
export type HealthState = 'up' | 'out' | 'trial'

export interface Health {
  readonly state: HealthState
  /** Undefined once it has answered and while it has not failed since; else why not, in a few words. */
  readonly problem: string | undefined
  /** A request was answered as it should be. */
  succeeded(): void
  failed(problem: string): void
  stop(): void
}

interface HealthOptions {
  readonly backOffMs: number
  readonly backOffMsMax: number
  readonly probeIdleMs: number
  /** Asks the worker something that changes nothing. Rejects when it does not answer as it should. */
  readonly probe: () => Promise<unknown>
  readonly onChange: (state: HealthState) => void
}

/**
 * Whether a worker may be given packets. After a failure it is left out for a back-off that doubles; then a probe, which costs no device anything,
 * finds out whether it is worth a try. A worker that has nothing to do is probed too, so that readiness is known before the first packet.
 */
export function watchHealth(options: HealthOptions): Health {
  let state: HealthState = 'up'
  let problem: string | undefined = 'it has not been asked yet'
  let failures = 0
  let answeredAtMs = -Infinity
  let timer: NodeJS.Timeout | undefined

  function become(next: HealthState): void {
    if (state === next) return
    state = next
    options.onChange(next)
  }

  function probeIn(delayMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void probe(), delayMs).unref()
  }

  async function probe(): Promise<void> {
    const quietMs = performance.now() - answeredAtMs
    if (state === 'up' && quietMs < options.probeIdleMs) return probeIn(options.probeIdleMs)
    const probed = timer
    const fault = await options.probe().then(() => undefined, messageOf)
    // A request has told more meanwhile, or nobody wants to know any more.
    if (timer !== probed) return
    if (fault !== undefined) {
      problem = fault
      return leaveOut()
    }
    answered()
    if (state === 'out') become('trial')
    probeIn(options.probeIdleMs)
  }

  function answered(): void {
    answeredAtMs = performance.now()
    problem = undefined
  }

  function succeeded(): void {
    answered()
    failures = 0
    become('up')
  }

  function failed(why: string): void {
    problem = why
    // The requests that were under way fail together, and count as one failure.
    if (state !== 'out') leaveOut()
  }

  function leaveOut(): void {
    const delayMs = Math.min(options.backOffMsMax, options.backOffMs * 2 ** failures++)
    become('out')
    // Halved at random, so that what failed together does not come back together.
    probeIn(delayMs * (0.5 + Math.random() / 2))
  }

  probeIn(0)
  return {
    get state() {
      return state
    },
    get problem() {
      return problem
    },
    succeeded,
    failed,
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
