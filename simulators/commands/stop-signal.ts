/** Signals closer together than this are one Ctrl-C: a terminal sends it to npm and to us, and npm passes its own on. */
const IMPATIENCE_MS = 1000

/** Aborted at the first SIGINT or SIGTERM; a later one ends the process at once, as one expects of an impatient Ctrl-C. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  let firstAt = Infinity
  const stop = () => {
    if (Date.now() - firstAt > IMPATIENCE_MS) process.exit(130)
    firstAt = Math.min(firstAt, Date.now())
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}
