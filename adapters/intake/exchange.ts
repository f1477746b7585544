import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { INTAKE_CONTENT_TYPE, INTAKE_PATH } from '../../ports/intake-wire.ts'

/**
 * `slow`: no whole answer in time. `tooLarge`: 413. `stale`: a kept connection had been closed at the other end, which is no fault of anybody.
 * `failed`: everything else. Whatever the kind, the packets may have been taken all the same.
 */
export type ExchangeFault = 'slow' | 'tooLarge' | 'stale' | 'failed'

export class ExchangeError extends Error {
  readonly fault: ExchangeFault
  constructor(fault: ExchangeFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ExchangeError'
    this.fault = fault
  }
}

/** Requests to one ingest worker, over connections that are kept. */
export interface Exchange {
  /** Resolves with the text of a 200. @throws ExchangeError */
  post(body: Buffer, timeoutMs: number): Promise<string>
  close(): void
}

interface ExchangeOptions {
  readonly url: URL
  readonly token: string
  readonly connectionsMax: number
  readonly answerBytesMax: number
}

// node:http rather than fetch: for requests of this size it costs less than half of the processor time.
export function openExchange({ url, token, connectionsMax, answerBytesMax }: ExchangeOptions): Exchange {
  const secure = url.protocol === 'https:'
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connectionsMax })
  const send = secure ? httpsRequest : httpRequest
  const target = new URL(`${url.pathname.replace(/\/+$/, '')}${INTAKE_PATH}`, url)
  const headers = { authorization: `Bearer ${token}`, 'content-type': INTAKE_CONTENT_TYPE }
  return {
    post(body, timeoutMs) {
      const options: RequestOptions = {
        agent,
        method: 'POST',
        headers: { ...headers, 'content-length': body.length },
      }
      return new Promise((resolve, reject) => {
        const request = send(target, options, (response) => {
          textOf(response, answerBytesMax).then(resolve, (error: unknown) => {
            request.destroy()
            reject(toExchangeError(error, false))
          })
        })
        const timer = setTimeout(() => {
          reject(new ExchangeError('slow', `no answer within ${timeoutMs} ms`))
          request.destroy()
        }, timeoutMs)
        request.on('error', (error) => reject(toExchangeError(error, request.reusedSocket)))
        request.on('close', () => clearTimeout(timer))
        request.end(body)
      })
    },
    close: () => agent.destroy(),
  }
}

async function textOf(response: IncomingMessage, bytesMax: number): Promise<string> {
  const { statusCode } = response
  if (statusCode !== 200) {
    response.resume()
    throw new ExchangeError(statusCode === 413 ? 'tooLarge' : 'failed', meaningOf(statusCode))
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new ExchangeError('failed', `its answer is longer than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function meaningOf(statusCode: number | undefined): string {
  return statusCode === 401 ? 'it does not accept our token (INTAKE_TOKEN)' : `it answered with ${statusCode}`
}

function toExchangeError(error: unknown, reusedSocket: boolean): ExchangeError {
  if (error instanceof ExchangeError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const stale = reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
  return new ExchangeError(stale ? 'stale' : 'failed', code ?? message, { cause: error })
}
