const WINDOW_S = 60

/** How much there was in a second, on average over the last minute. */
export interface Rate {
  add(count: number): void
  /** Of the whole seconds that are over, and at most as many as it has lived. */
  perSecond(): number
}

/** Counts from now on, in a fixed number of buckets. */
export function createRate(now: () => number = () => performance.now()): Rate {
  const counts = new Float64Array(WINDOW_S + 1)
  const startedS = Math.floor(now() / 1000)
  let currentS = startedS

  /** Empties the buckets of the seconds in which nothing came. */
  function advance(): void {
    const nowS = Math.floor(now() / 1000)
    const passed = Math.min(nowS - currentS, counts.length)
    for (let second = 1; second <= passed; second += 1) counts[(nowS - passed + second) % counts.length] = 0
    currentS = nowS
  }

  return {
    add(count) {
      advance()
      const at = currentS % counts.length
      counts[at] = (counts[at] ?? 0) + count
    },
    perSecond() {
      advance()
      const seconds = Math.min(WINDOW_S, currentS - startedS)
      if (seconds === 0) return 0
      let sum = 0
      for (let back = 1; back <= seconds; back += 1)
        sum += counts[(currentS - back + counts.length * 2) % counts.length] ?? 0
      return sum / seconds
    },
  }
}
