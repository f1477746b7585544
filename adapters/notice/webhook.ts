import { Webhook } from 'standardwebhooks'
import type { Notice, NoticeChannel } from '../../ports/notice.ts'
import { dismiss, nameOf, refusal, request } from './http.ts'

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
    destination: nameOf(options.url.origin, options.url.href),
    needsRecipient: false,
    send: (notice) => post(notice, signers, options),
    async close() {},
  }
}

async function post(notice: Notice, signers: readonly Webhook[], options: WebhookOptions): Promise<void> {
  const body = JSON.stringify({
    type: notice.step === 'test' ? 'test' : `breach.${notice.step}`,
    timestamp: new Date(notice.createdAt).toISOString(),
    data: { ...notice.data, subject: notice.subject, text: notice.text },
  })
  const { url, timeoutMs } = options
  const headers = headersFor(notice.id, body, signers, options)
  const response = await request({ url, method: 'POST', headers, body, timeoutMs })
  await dismiss(response)
  if (!response.ok) throw refusal(response.status, response.status === 410)
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
