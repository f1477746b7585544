import { NoticeError, type Notice, type NoticeChannel } from '../../ports/notice.ts'
import { dismiss, refusal, request } from './http.ts'
import { encryptPush, vapidHeader, type Browser, type Vapid } from './push-encryption.ts'

export interface PushOptions {
  readonly vapid: Vapid
  /** Whom a push service can turn to: `mailto:` or `https:`. */
  readonly subject: string
  /** Push services that messages may go to, as `host` or `.domain`: people give the address, so that anything could be behind it. */
  readonly hosts: readonly string[]
  readonly timeoutMs: number
}

/** The services of the browsers that there are. */
export const PUSH_HOSTS = [
  'fcm.googleapis.com',
  '.push.services.mozilla.com',
  '.push.apple.com',
  '.notify.windows.com',
]

/** How long a service keeps a message for a browser that is away; longer, it is no news. */
const TTL_SECONDS = 86_400
const TOKEN_SECONDS = 43_200
/** So that the encrypted message is one record of 4096 bytes (RFC 8291, 4). */
const PAYLOAD_BYTES_MAX = 3_000

/**
 * Sends each notice to a browser by Web Push, encrypted for it (RFC 8030, 8291, 8292). A subscription that is gone (404, 410), or that is none, is permanent;
 * everything else is tried again.
 */
export function openPushChannel(options: PushOptions): NoticeChannel {
  return {
    kind: 'push',
    destination: `push:${options.vapid.publicKey.slice(0, 12)}`,
    needsRecipient: true,
    send: (notice) => send(notice, options),
    async close() {},
  }
}

async function send(notice: Notice, options: PushOptions): Promise<void> {
  const { endpoint, browser } = subscriptionOf(notice.recipient ?? '')
  if (!isAllowed(endpoint, options.hosts)) throw new NoticeError('its push service is not allowed', true)
  const expiresAt = Math.floor(Date.now() / 1000) + TOKEN_SECONDS
  const response = await request({
    url: endpoint,
    method: 'POST',
    headers: new Headers({
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
      ttl: String(TTL_SECONDS),
      urgency: 'high',
      authorization: vapidHeader(options.vapid, endpoint.origin, options.subject, expiresAt),
    }),
    body: encrypt(notice, browser),
    timeoutMs: options.timeoutMs,
  })
  await dismiss(response)
  if (!response.ok) throw refusal(response.status, response.status === 404 || response.status === 410)
}

function encrypt({ id, subject, short, data, step }: Notice, browser: Browser): Buffer {
  const message = { id, step, title: subject, body: short, breachId: data['breachId'] ?? null }
  const text = Buffer.from(JSON.stringify(message))
  // Names are bounded, so that this holds; what would not fit would be refused for ever.
  if (text.length > PAYLOAD_BYTES_MAX) throw new NoticeError('the message is too long', true)
  try {
    return encryptPush(text, browser)
  } catch {
    throw new NoticeError('the browser gave a key that is none', true)
  }
}

/** The notifier hands over what the browser gave, as JSON. */
function subscriptionOf(recipient: string): { readonly endpoint: URL; readonly browser: Browser } {
  try {
    const { endpoint, p256dh, auth } = JSON.parse(recipient) as Record<string, string>
    const browser = {
      p256dh: Buffer.from(p256dh ?? '', 'base64url'),
      auth: Buffer.from(auth ?? '', 'base64url'),
    }
    return { endpoint: new URL(endpoint ?? ''), browser }
  } catch {
    throw new NoticeError('the address is not a push subscription', true)
  }
}

function isAllowed({ protocol, host, hostname }: URL, hosts: readonly string[]): boolean {
  if (hosts.includes(host)) return true
  if (protocol !== 'https:') return false
  return hosts.some((one) => (one.startsWith('.') ? hostname.endsWith(one) : hostname === one))
}
