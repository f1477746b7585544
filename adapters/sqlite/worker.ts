import { parentPort, Worker, type Transferable } from 'node:worker_threads'

/** What a worker thread can be asked: one function per operation, each with one argument that can be cloned. */
export type Operations = { readonly [name: string]: (argument: never) => unknown }

/** A worker thread that answers operations one after the other. */
export interface Remote<O extends Operations> {
  /** Answers come in the order of the calls. Rejects with what the operation threw, or when the thread is gone. */
  call<K extends keyof O>(
    operation: K,
    argument: Parameters<O[K]>[0],
    transfer?: readonly Transferable[],
  ): Promise<ReturnType<O[K]>>
  /** Why the thread is gone; undefined while it works. */
  death(): Error | undefined
  /** Ends the thread after the calls made so far, and waits for that. */
  close(): Promise<void>
}

interface Answer {
  readonly value?: unknown
  readonly error?: { readonly message: string; readonly code: string | undefined }
}

/**
 * Starts a worker thread on `file`, which calls `serve`. A failure at its start rejects the first call.
 * @param onDeath told once when the thread ends without having been asked to
 */
export function startRemote<O extends Operations>(
  file: URL,
  data: unknown,
  onDeath: (error: Error) => void = () => {},
): Remote<O> {
  // No flags of the process: a test runner's would load its whole machinery into each thread.
  const worker = new Worker(file, { workerData: data, execArgv: [] })
  const waiting: PromiseWithResolvers<unknown>[] = []
  let dead: Error | undefined
  let closing = false
  const die = (error: Error) => {
    if (dead) return
    dead = error
    for (const call of waiting.splice(0)) call.reject(error)
    if (!closing) onDeath(error)
  }
  worker.on('message', (answer: Answer) => settle(waiting.shift(), answer))
  worker.on('error', (error) => die(error instanceof Error ? error : new Error(String(error))))
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', (status) => {
      die(new Error(`the worker thread has ended with status ${status}`))
      resolve()
    })
  })
  return {
    call<K extends keyof O>(
      operation: K,
      argument: Parameters<O[K]>[0],
      transfer: readonly Transferable[] = [],
    ) {
      if (dead) return Promise.reject(dead)
      const call = Promise.withResolvers<unknown>()
      // Posted first: an argument that cannot be cloned throws here, and must not leave a call that is never answered.
      worker.postMessage([operation, argument], transfer)
      waiting.push(call)
      return call.promise as Promise<ReturnType<O[K]>>
    },
    death: () => dead,
    close() {
      if (!dead && !closing) worker.postMessage(['close'], [])
      closing = true
      return exited
    },
  }
}

function settle(call: PromiseWithResolvers<unknown> | undefined, answer: Answer): void {
  if (!answer.error) return call?.resolve(answer.value)
  const { message, code } = answer.error
  call?.reject(Object.assign(new Error(message), { code }))
}

/** The other side, inside of the thread. `close` runs last; the thread ends after it. */
export function serve(operations: Operations, close: () => void): void {
  const port = parentPort
  if (!port) throw new Error('this file runs in a worker thread only')
  port.on('message', ([operation, argument]: [string, never]) => {
    if (operation === 'close') {
      close()
      port.close()
      return
    }
    port.postMessage(perform(operations, operation, argument), [])
  })
}

function perform(operations: Operations, operation: string, argument: never): Answer {
  try {
    return { value: operations[operation]?.(argument) }
  } catch (error) {
    if (!(error instanceof Error)) return { error: { message: String(error), code: undefined } }
    const code = 'code' in error ? String(error.code) : undefined
    return { error: { message: error.message, code } }
  }
}
