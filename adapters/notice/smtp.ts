import { NoticeError, type Notice, type NoticeChannel } from '../../ports/notice.ts'

export interface SmtpOptions {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (`smtps:`); otherwise STARTTLS when the server offers it. */
  readonly isTls: boolean
  readonly credentials: { readonly user: string; readonly pass: string } | undefined
  readonly from: string
  /** The one fixed receiver; undefined when each notice names its own. */
  readonly to: string | undefined
  readonly timeoutMs: number
  readonly connectionsMax: number
}

/** One bare address, nothing that a header or a list of addresses could be made of. */
const ADDRESS = /^[^\s\p{Cc}@<>(),;:"\\[\]]{1,64}@[^\s\p{Cc}@<>(),;:"\\[\]]{1,120}$/u

/** The server wants to know us better or later: nothing that is wrong with this message. RFC 4954. */
const AUTHENTICATION_REPLIES = new Set([530, 534, 535, 538])

const REPLY_LENGTH_MAX = 200

/** Whether `text` is exactly one e-mail address, without display name, comments or lists. */
export function isAddress(text: string): boolean {
  return ADDRESS.test(text)
}

/**
 * Sends each notice as an e-mail over a small pool of connections. A 5xx reply to the sender, the recipient or the message is permanent (RFC 5321, 4.2.1);
 * 4xx replies, failed logins and lost connections are tried again. The Message-ID is that of the notice, the same in every attempt.
 * With credentials, TLS is required unless the server is on this machine: a password never crosses a network in the clear.
 */
export function openSmtpChannel(options: SmtpOptions): NoticeChannel {
  let pool: ReturnType<typeof openPool> | undefined
  return {
    kind: 'smtp',
    destination: destinationOf(options),
    needsRecipient: options.to === undefined,
    async send(notice) {
      const message = compose(notice, options)
      try {
        const transport = await (pool ??= openPool(options))
        await transport.sendMail({ ...message, signal: AbortSignal.timeout(options.timeoutMs) })
      } catch (error) {
        throw asNoticeError(error, options.timeoutMs)
      }
    },
    async close() {
      const transport = await pool
      transport?.close()
    },
  }
}

async function openPool(options: SmtpOptions) {
  // Loaded when the first message leaves: it takes 15 MiB, and most boxes never send one.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    pool: true,
    host: options.host,
    port: options.port,
    secure: options.isTls,
    requireTLS: !options.isTls && options.credentials !== undefined && !isLoopback(options.host),
    auth: options.credentials,
    maxConnections: options.connectionsMax,
    // The notifier tries again by itself, later and durably.
    maxRequeues: 0,
    connectionTimeout: options.timeoutMs,
    greetingTimeout: options.timeoutMs,
    socketTimeout: options.timeoutMs,
    dnsTimeout: options.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  // An idle connection that breaks is not news: the next message opens another one.
  transport.on('error', () => undefined)
  return transport
}

function destinationOf(options: SmtpOptions): string {
  const scheme = options.isTls ? 'smtps' : 'smtp'
  const to = options.to === undefined ? '' : `?to=${options.to}`
  return `${scheme}://${options.host}:${options.port}${to}`
}

function compose(notice: Notice, options: SmtpOptions) {
  const to = options.to ?? notice.recipient
  if (to === undefined || !isAddress(to)) throw new NoticeError('the address is not an e-mail address', true)
  const domain = options.from.slice(options.from.lastIndexOf('@') + 1)
  const breachId = notice.data['breachId']
  return {
    from: { name: 'Coldstream', address: options.from },
    to: { name: '', address: to },
    envelope: { from: options.from, to: [to] },
    // A line break here would begin a header of somebody else's making.
    subject: notice.subject.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '),
    text: notice.text,
    html: notice.html,
    date: new Date(notice.createdAt),
    messageId: `<${notice.id}@${domain}>`,
    // Mail programs then show all that was said about one breach together.
    references: typeof breachId === 'string' ? `<${breachId}@${domain}>` : undefined,
    // RFC 3834: no out-of-office answers, please.
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

function asNoticeError(error: unknown, timeoutMs: number): NoticeError {
  if (!(error instanceof Error)) return new NoticeError('no connection', false)
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return new NoticeError(`no answer within ${timeoutMs} ms`, false)
  const code = 'code' in error ? String(error.code) : error.name
  const reply = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : 0
  if (reply === 0) return new NoticeError(`no usable answer: ${code}`, false)
  const aboutMessage = code === 'EENVELOPE' || code === 'EMESSAGE'
  const permanent = aboutMessage && reply >= 500 && !AUTHENTICATION_REPLIES.has(reply)
  return new NoticeError(`SMTP ${reply} ${replyText(error)}`.trim(), permanent)
}

/** The words of the server, but not after a failed login, where some servers quote what they were given. */
function replyText(error: Error): string {
  if ('code' in error && error.code === 'EAUTH') return 'the login was refused'
  const response = 'response' in error && typeof error.response === 'string' ? error.response : ''
  return response
    .replace(/^\d{3}[ -]?/, '')
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, REPLY_LENGTH_MAX)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
