import { createHash } from 'node:crypto'
import { NoticeError } from '../../ports/notice.ts'

export interface HttpRequest {
  readonly url: URL | string
  readonly method: string
  readonly headers: Headers
  readonly body: string | Buffer | undefined
  readonly timeoutMs: number
}

/** What is read of an answer; a receiver may go on for ever. */
const ANSWER_BYTES_MAX = 65_536

/**
 * One request, bounded in time. Redirects are not followed: they would carry the message to an address that nobody configured.
 * @throws NoticeError that may be tried again, when there is no usable answer
 */
export async function request({ timeoutMs, url, body, ...rest }: HttpRequest): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    // Buffer is an ArrayBufferView over memory that is never shared here; the types of fetch want to know.
    const sent = typeof body === 'string' || body === undefined ? body : new Uint8Array(body)
    return await fetch(url, { ...rest, body: sent, redirect: 'manual', signal })
  } catch (error) {
    throw new NoticeError(whyNotReached(error, timeoutMs), false)
  }
}

/** What the receiver says beyond its status is of no interest, and may have no end. */
export async function dismiss(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}

/** The beginning of what the receiver says. @throws NoticeError when it stops in between */
export async function readAnswer(response: Response, timeoutMs: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= ANSWER_BYTES_MAX) break
    }
  } catch (error) {
    throw new NoticeError(whyNotReached(error, timeoutMs), false)
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString()
}

/** The error of an answer that is not a success. */
export function refusal(status: number, isPermanent: boolean, detail = ''): NoticeError {
  const isRedirect = status >= 300 && status < 400
  const words = isRedirect ? ': redirects are not followed' : detail && `: ${detail}`
  return new NoticeError(`HTTP ${status}${words}`, isPermanent && !isRedirect)
}

/** Only codes: messages of the HTTP client may quote the address. */
function whyNotReached(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'no connection'
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : error.name
  return `no usable answer: ${code}`
}

/** Names a destination without telling it: paths and queries often are secrets, so that only a digest of them tells two on one host apart. */
export function nameOf(origin: string, secret: string): string {
  return `${origin}/#${createHash('sha256').update(secret).digest('hex').slice(0, 12)}`
}
