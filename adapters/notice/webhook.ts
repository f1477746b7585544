import { createHash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { NoticeError, type Notice, type NoticeChannel } from '../../ports/notice.ts'

export interface WebhookOptions {
  /** Where to post; without signing secrets and credentials in it. */
  readonly url: URL
  /** One or more signing secrets: with several (during a rotation) the message carries a signature of each. */
  readonly secrets: readonly string[]
  /** Value of the Authorization header, if the receiver wants one. */
  readonly authorization: string | undefined
  readonly timeoutMs: number
}

/**
 * Posts each notice as JSON, signed as Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`). 2xx is taken, 410 Gone is
 * permanent. Everything else is tried again: other 4xx come from a receiver that is being set up or mended far more often than from
 * a message that it will never take, and a lost alarm costs more than a few hundred posts. Redirects are not followed: they would carry the message
 * to an address that nobody configured. The address itself is the operator's choice, so internal ones are allowed.
 */
export function openWebhookChannel(options: WebhookOptions): NoticeChannel {
  const signers = options.secrets.map((secret) => new Webhook(secret))
  return {
    kind: 'webhook',
    destination: destinationOf(options.url),
    needsRecipient: false,
    send: (notice) => post(notice, signers, options),
    async close() {},
  }
}

/** Paths and queries of webhooks often are secrets themselves, so that only a digest of them tells two on one host apart. */
function destinationOf(url: URL): string {
  const digest = createHash('sha256').update(url.href).digest('hex').slice(0, 12)
  return `${url.origin}/#${digest}`
}

async function post(notice: Notice, signers: readonly Webhook[], options: WebhookOptions): Promise<void> {
  const body = JSON.stringify({
    type: `breach.${notice.step}`,
    timestamp: new Date(notice.createdAt).toISOString(),
    data: { ...notice.data, subject: notice.subject, text: notice.text },
  })
  const response = await reach(options, headersFor(notice.id, body, signers, options), body)
  // What the receiver says beyond its status is of no interest, and may have no end.
  await response.body?.cancel().catch(() => undefined)
  if (response.ok) return
  if (response.status >= 300 && response.status < 400)
    throw new NoticeError(`HTTP ${response.status}: redirects are not followed`, false)
  throw new NoticeError(`HTTP ${response.status}`, response.status === 410)
}

function headersFor(id: string, body: string, signers: readonly Webhook[], options: WebhookOptions): Headers {
  // Receivers refuse old signatures, so that the time is that of the attempt.
  const signedAt = new Date()
  const headers = new Headers({
    'content-type': 'application/json',
    'user-agent': 'coldstream',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(signedAt.getTime() / 1000)),
    'webhook-signature': signers.map((signer) => signer.sign(id, signedAt, body)).join(' '),
  })
  if (options.authorization !== undefined) headers.set('authorization', options.authorization)
  return headers
}

async function reach(options: WebhookOptions, headers: Headers, body: string): Promise<Response> {
  try {
    return await fetch(options.url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
    })
  } catch (error) {
    throw new NoticeError(whyNotReached(error, options.timeoutMs), false)
  }
}

/** Only codes: messages of the HTTP client may quote the address. */
function whyNotReached(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'no connection'
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : error.name
  return `no usable answer: ${code}`
}
