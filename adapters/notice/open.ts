import type { Logger } from 'pino'
import { Webhook } from 'standardwebhooks'
import type { NoticeChannel } from '../../ports/notice.ts'
import { openConsoleChannel } from './console.ts'
import { parseGateway, parsePush, parseTelegram } from './open-people.ts'
import { isAddress, openSmtpChannel } from './smtp.ts'
import { openWebhookChannel } from './webhook.ts'

export interface NoticeOptions {
  readonly log: Logger
  /** Longest time for one attempt; default 10,000. */
  readonly timeoutMs?: number
  /** Connections that one mail server is given at once; default 2. */
  readonly smtpConnectionsMax?: number
  /** Where `console:` writes; default standard output. */
  readonly write?: (text: string) => void
}

/** Something is wrong with `NOTICE_URLS`: every problem, each naming its entry by number, never by content, for entries hold secrets. */
export class NoticeUrlError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.name = 'NoticeUrlError'
    this.problems = problems
  }
}

/** A channel, or what is wrong. */
export type Parsed = { readonly open: () => NoticeChannel } | { readonly problem: string }

const KNOWN = 'console:, http:, https:, smtp:, smtps:, sms+https:, whatsapp+https:, telegram: and push:'
const TIMEOUT_MS = 10_000
const SMTP_CONNECTIONS_MAX = 2
const SMTP_PORT = 587
const SMTPS_PORT = 465
/** Standard Webhooks asks for 24 to 64 bytes; fewer than this could be guessed. */
const SECRET_BYTES_MIN = 16
/** What the database keeps of a destination. */
const DESTINATION_LENGTH_MAX = 200

/**
 * Opens one channel for each entry of `NOTICE_URLS`: `console:`, `https://host/path?secret=whsec_...`, `smtp://user:password@host:587?from=a@b&to=c@d`,
 * `sms+https://...`, `whatsapp+https://...`, `telegram://token@api.telegram.org`, `push:?subject=...&key=...`.
 * @param urls entries, separated by commas or white space; a comma within an address is written `%2C`
 * @throws NoticeUrlError with all problems at once; nothing is open then
 */
export function openNoticeChannels(urls: string, options: NoticeOptions): NoticeChannel[] {
  const entries = urls.split(/[\s,]+/).filter((entry) => entry !== '')
  const problems: string[] = []
  const opened: NoticeChannel[] = []
  for (const [index, entry] of entries.entries()) {
    const parsed = parseEntry(entry, options)
    const problem = 'problem' in parsed ? parsed.problem : keep(opened, parsed.open())
    if (problem !== undefined) problems.push(`NOTICE_URLS entry ${index + 1}: ${problem}`)
  }
  if (problems.length === 0) return opened
  for (const channel of opened) void channel.close()
  throw new NoticeUrlError(problems)
}

function keep(opened: NoticeChannel[], channel: NoticeChannel): string | undefined {
  const isKnown = opened.some((other) => other.destination === channel.destination)
  opened.push(channel)
  if (isKnown) return 'the same destination is there already'
  if (channel.destination.length > DESTINATION_LENGTH_MAX) return 'the host name is too long'
  return undefined
}

type Parser = (url: URL, options: NoticeOptions) => Parsed

const PARSERS: Readonly<Record<string, Parser>> = {
  'http:': parseWebhook,
  'https:': parseWebhook,
  'smtp:': parseSmtp,
  'smtps:': parseSmtp,
  'telegram:': (url, options) => parseTelegram(url, timeoutOf(options)),
  'telegram+http:': (url, options) => parseTelegram(url, timeoutOf(options)),
  'push:': (url, options) => parsePush(url, timeoutOf(options)),
}

function timeoutOf(options: NoticeOptions): number {
  return options.timeoutMs ?? TIMEOUT_MS
}

function parseEntry(entry: string, options: NoticeOptions): Parsed {
  if (entry === 'console:' || entry === 'console') {
    const write = options.write ?? ((text: string) => void process.stdout.write(text))
    return { open: () => openConsoleChannel(write) }
  }
  if (/^(sms|whatsapp)\+https?:/.test(entry)) return parseGateway(entry, timeoutOf(options))
  if (!URL.canParse(entry)) return { problem: 'it is not an address' }
  const url = new URL(entry)
  const parse = PARSERS[url.protocol]
  return parse ? parse(url, options) : { problem: `only ${KNOWN} are known` }
}

function parseWebhook(url: URL, options: NoticeOptions): Parsed {
  // In a query `+` reads as a space, and Base64 has no spaces.
  const secrets = url.searchParams.getAll('secret').map((secret) => secret.replaceAll(' ', '+'))
  if (secrets.length === 0) return { problem: 'the signing secret is missing (?secret=whsec_...)' }
  if (!secrets.every(isSecret))
    return { problem: `the signing secret must be whsec_ and Base64 of at least ${SECRET_BYTES_MIN} bytes` }
  const credentials = credentialsOf(url)
  if (credentials === 'malformed') return { problem: 'user or password is not percent-encoded properly' }
  const target = new URL(url)
  target.searchParams.delete('secret')
  target.username = ''
  target.password = ''
  target.hash = ''
  const authorization = credentials && basic(credentials)
  if (target.protocol === 'http:') warnOfPlainHttp(target, options.log)
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  return { open: () => openWebhookChannel({ url: target, secrets, authorization, timeoutMs }) }
}

function isSecret(secret: string): boolean {
  const base64 = secret.replace(/^whsec_/, '')
  if (Buffer.from(base64, 'base64').length < SECRET_BYTES_MIN) return false
  try {
    return Boolean(new Webhook(secret))
  } catch {
    return false
  }
}

function basic({ user, pass }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`
}

function warnOfPlainHttp(url: URL, log: Logger): void {
  if (url.hostname !== 'localhost' && !url.hostname.startsWith('127.'))
    log.warn({ host: url.host }, 'a webhook goes over http: anybody on the way can read it')
}

function parseSmtp(url: URL, options: NoticeOptions): Parsed {
  const isTls = url.protocol === 'smtps:'
  const from = url.searchParams.get('from')
  const to = url.searchParams.getAll('to')
  const unknown = [...url.searchParams.keys()].filter((key) => key !== 'from' && key !== 'to')
  if (url.hostname === '') return { problem: 'the host is missing' }
  if (from === null || !isAddress(from)) return { problem: 'from must be one e-mail address (?from=a@b)' }
  if (to.length > 1 || !to.every(isAddress))
    return { problem: 'to must be one e-mail address; write one entry for each receiver' }
  if (unknown.length > 0) return { problem: 'only from and to are known in the query' }
  const credentials = credentialsOf(url)
  if (credentials === 'malformed') return { problem: 'user or password is not percent-encoded properly' }
  return {
    open: () =>
      openSmtpChannel({
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port === '' ? (isTls ? SMTPS_PORT : SMTP_PORT) : Number(url.port),
        isTls,
        credentials,
        from,
        to: to[0],
        timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
        connectionsMax: options.smtpConnectionsMax ?? SMTP_CONNECTIONS_MAX,
      }),
  }
}

interface Credentials {
  readonly user: string
  readonly pass: string
}

function credentialsOf(url: URL): Credentials | undefined | 'malformed' {
  if (url.username === '' && url.password === '') return undefined
  try {
    return { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
  } catch {
    return 'malformed'
  }
}
