import { CodedError } from '../../domain/errors.ts'

/** Where the server is, how to show who we are, and how long to wait for it. */
export interface Server {
  /** No user, no password, no slash at the end. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** One request, from the first byte sent to the last one read. */
  readonly timeoutMs: number
}

/** @param url user and password in it become basic authentication, since neither `fetch` nor the Influx client would send them */
export function serverAt(url: string, timeoutMs: number): Server {
  const parsed = new URL(url)
  const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
  const path = parsed.pathname.replace(/\/+$/, '')
  return {
    url: `${parsed.protocol}//${parsed.host}${path}`,
    headers: parsed.username ? { authorization } : {},
    timeoutMs,
  }
}

/** Of a request; in pairs where a name comes more than once. */
type Parameters = Readonly<Record<string, string>> | readonly (readonly [string, string])[]

/**
 * Sends one request.
 * @throws CodedError `service.unavailable` when the server does not answer or fails; a plain Error when it refuses the request
 */
export async function request(
  { url, headers, timeoutMs }: Server,
  path: string,
  parameters: Parameters = {},
): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs)
  // Compressing costs the server more than the network between the two is worth.
  const plain = { ...headers, 'accept-encoding': 'identity' }
  const response = await answered(
    fetch(`${url}${path}?${new URLSearchParams(parameters as Record<string, string>)}`, {
      headers: plain,
      signal,
    }),
  )
  if (response.ok) return response
  throw failure(response.status, `${path}: ${(await answered(response.text())).slice(0, 300)}`)
}

/** The whole body as text, with the errors of `request`. */
export async function requestText(server: Server, path: string, parameters?: Parameters): Promise<string> {
  const response = await request(server, path, parameters)
  return answered(response.text())
}

/** The lines of a body as they come; stopping early ends the request. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  if (!response.body) return
  let rest = ''
  const chunks = response.body.pipeThrough(new TextDecoderStream()).values()
  try {
    for (let next = await answered(chunks.next()); !next.done; next = await answered(chunks.next())) {
      const lines = (rest + next.value).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    await chunks.return?.().catch(() => undefined)
  }
  if (rest) yield rest
}

/** What an answer that is no success means. Too many requests is a reason to come again, like a failure. */
export function failure(status: number, detail: string, cause?: unknown): Error {
  if (status >= 500 || status === 429) return unavailable(`${status} ${detail}`, cause)
  return new Error(`the series store refuses: ${status} ${detail}`, { cause })
}

/** The store cannot be used now. */
export function unavailable(detail: string, cause?: unknown): CodedError {
  return new CodedError('service.unavailable', `the series store: ${detail}`, { cause })
}

async function answered<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    throw unavailable(reasonOf(cause), cause)
  }
}

/** The message, and the cause that Node hides behind `fetch failed`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${reasonOf(error.cause)}` : ''
  return `${error.message}${cause}`
}

/** Runs at most `max` of what it is given at once; the others wait for their turn. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>

export function createGate(max: number): Gate {
  const waiting: (() => void)[] = []
  let free = max
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
