import { createLogUpdate } from 'log-update'

/** Where a command shows how far it is. */
export interface Screen {
  /** The state now: redrawn in place on a terminal, otherwise a plain line now and then. */
  state(text: string): void
  /** A line that stays. */
  line(text: string): void
  /** Leaves the last state standing. */
  done(): void
}

const PLAIN_EVERY_MS = 5000

/** A screen on a terminal or, without one, plain lines that a log can keep. */
export function openScreen(stream: NodeJS.WriteStream = process.stdout): Screen {
  return stream.isTTY ? terminalScreen(stream) : plainScreen(stream)
}

function terminalScreen(stream: NodeJS.WriteStream): Screen {
  const update = createLogUpdate(stream)
  return {
    state: (text) => update(text),
    line: (text) => update.persist(text),
    done: () => update.done(),
  }
}

function plainScreen(stream: NodeJS.WriteStream): Screen {
  let nextAt = 0
  let pending: string | undefined
  return {
    state(text) {
      pending = text
      if (Date.now() < nextAt) return
      nextAt = Date.now() + PLAIN_EVERY_MS
      pending = undefined
      stream.write(`${text}\n`)
    },
    line: (text) => void stream.write(`${text}\n`),
    done() {
      if (pending !== undefined) stream.write(`${pending}\n`)
      pending = undefined
    },
  }
}
