/** Counts what has been begun and not ended. */
export interface InFlight {
  readonly count: number
  readonly bytes: number
  begin(bytes: number): void
  end(bytes: number): void
  /** Resolves with true when nothing is in flight any more, with false at the deadline. */
  drained(timeoutMs: number): Promise<boolean>
}

export function createInFlight(): InFlight {
  let count = 0
  let bytes = 0
  let onIdle: (() => void) | undefined
  return {
    get count() {
      return count
    },
    get bytes() {
      return bytes
    },
    begin(size) {
      count++
      bytes += size
    },
    end(size) {
      bytes -= size
      if (--count === 0) onIdle?.()
    },
    async drained(timeoutMs) {
      if (count === 0) return true
      const { promise, resolve } = Promise.withResolvers<void>()
      onIdle = resolve
      const deadline = setTimeout(resolve, timeoutMs)
      await promise
      clearTimeout(deadline)
      return count === 0
    },
  }
}
