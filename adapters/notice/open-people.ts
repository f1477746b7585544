import { openGatewayChannel, type GatewayOptions } from './gateway.ts'
import type { Parsed } from './open.ts'
import { openPushChannel, PUSH_HOSTS } from './push.ts'
import { readVapidKey } from './push-encryption.ts'
import { openTelegramChannel } from './telegram.ts'

const OPTIONS: ReadonlySet<string> = new Set(['method', 'body', 'type', 'header', 'ok', 'permanent'])
const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):\s*([\x20-\x7e]*)$/
const STATUS = /^[1-5]\d\d$/

/**
 * `sms+https://user:password@host/path?to={to}&text={text}`, and after `#`, where it is never sent, how: `method`, `body`, `type` of the body, `header`
 * (`Name:value`, several), `ok` (what a 2xx must say), `permanent` (a status, or what an answer says; several).
 */
export function parseGateway(entry: string, timeoutMs: number): Parsed {
  const kind = entry.startsWith('sms') ? 'sms' : 'whatsapp'
  const address = entry.slice(kind.length + 1)
  if (!URL.canParse(address)) return { problem: 'it is not an address' }
  const url = new URL(address)
  const how = new URLSearchParams(url.hash.slice(1).replaceAll('+', '%2B'))
  const headers = headersOf(url, how.getAll('header'))
  const ok = expression(how.getAll('ok'))
  const permanent = how.getAll('permanent')
  const permanentWords = expression(permanent.filter((one) => !STATUS.test(one)))
  url.hash = url.username = url.password = ''
  const problem = problemOf(how, url.href)
  if (problem !== undefined) return { problem }
  if (headers === undefined)
    return { problem: 'a header must be Name:value, and user and password percent-encoded' }
  if (ok === null || permanentWords === null)
    return { problem: 'ok and permanent must be regular expressions' }
  const permanentStatuses = new Set([410, ...permanent.filter((one) => STATUS.test(one)).map(Number)])
  const judging = { ok, permanent: permanentWords, permanentStatuses }
  return {
    open: () => openGatewayChannel({ kind, url: url.href, headers, ...bodyOf(how), ...judging, timeoutMs }),
  }
}

function problemOf(how: URLSearchParams, href: string): string | undefined {
  if ([...how.keys()].some((key) => !OPTIONS.has(key)))
    return 'after # only method, body, type, header, ok and permanent are known'
  const saysWhom = /(\{|%7B)(to|digits)(\}|%7D)/i.test(href + (how.get('body') ?? ''))
  return saysWhom ? undefined : 'neither address nor body says {to} or {digits}'
}

function bodyOf(how: URLSearchParams): Pick<GatewayOptions, 'method' | 'body' | 'type'> {
  const body = how.get('body') ?? undefined
  const method = (how.get('method') ?? (body === undefined ? 'GET' : 'POST')).toUpperCase()
  const isJson = body?.startsWith('{')
  return {
    method,
    body,
    type: how.get('type') ?? (isJson ? 'application/json' : 'application/x-www-form-urlencoded'),
  }
}

function headersOf(url: URL, given: readonly string[]): [string, string][] | undefined {
  const headers = given.map((one) => HEADER.exec(one))
  if (headers.includes(null)) return undefined
  const pairs = headers.map((match): [string, string] => [match?.[1] ?? '', match?.[2] ?? ''])
  if (url.username === '') return pairs
  try {
    const credentials = [url.username, url.password].map(decodeURIComponent).join(':')
    return [['authorization', `Basic ${Buffer.from(credentials).toString('base64')}`], ...pairs]
  } catch {
    return undefined
  }
}

/** All of them as one; undefined when there is none, null when one is wrong. */
function expression(sources: readonly string[]): RegExp | undefined | null {
  if (sources.length === 0) return undefined
  try {
    return new RegExp(sources.map((source) => `(?:${source})`).join('|'))
  } catch {
    return null
  }
}

/** `telegram://123456:secret@api.telegram.org`: what stands before the host is the token of the bot. */
export function parseTelegram(url: URL, timeoutMs: number): Parsed {
  if (!/^\d+$/.test(url.username) || !/^[\w-]{10,}$/.test(url.password))
    return { problem: 'the token of the bot is missing (telegram://123456:secret@api.telegram.org)' }
  const origin = `${url.protocol === 'telegram:' ? 'https' : 'http'}://${url.host || 'api.telegram.org'}`
  const token = `${url.username}:${url.password}`
  return { open: () => openTelegramChannel({ origin, token, timeoutMs }) }
}

/** `push:?subject=mailto:ops@example.org&key=<private VAPID key>`; `host` (several) for push services that are not those of the great browsers. */
export function parsePush(url: URL, timeoutMs: number): Parsed {
  const subject = url.searchParams.get('subject') ?? ''
  const vapid = readVapidKey(url.searchParams.get('key') ?? '')
  if (!/^(mailto:[^\s]+@[^\s]+|https:\/\/[^\s]+)$/.test(subject))
    return { problem: 'subject must be mailto: or https:, whom a push service can turn to' }
  if (vapid === undefined) return { problem: 'key must be the private VAPID key, 32 bytes in base64url' }
  const hosts = [...PUSH_HOSTS, ...url.searchParams.getAll('host')]
  return { open: () => openPushChannel({ vapid, subject, hosts, timeoutMs }) }
}

/** The public key with which browsers subscribe, of the first `push:` in `NOTICE_URLS`; undefined when there is none. */
export function pushPublicKeyOf(urls: string): string | undefined {
  const entry = urls.split(/[\s,]+/).find((one) => one.startsWith('push:'))
  if (entry === undefined || !URL.canParse(entry)) return undefined
  return readVapidKey(new URL(entry).searchParams.get('key') ?? '')?.publicKey
}
