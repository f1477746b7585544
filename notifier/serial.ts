/** Runs tasks one after the other, in the order in which they were asked for: later effects on a record never overtake earlier ones. */
export interface Serial {
  run<T>(task: () => Promise<T>): Promise<T>
  /** Resolves when everything asked for so far is over, well or not. */
  idle(): Promise<void>
}

export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run(task) {
      const result = last.then(task)
      last = result.catch(() => undefined)
      return result
    },
    async idle() {
      await last
    },
  }
}
