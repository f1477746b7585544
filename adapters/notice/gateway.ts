import { NoticeError, type Notice, type NoticeChannel } from '../../ports/notice.ts'
import { dismiss, nameOf, readAnswer, refusal, request } from './http.ts'

/** How one provider of SMS or WhatsApp wants its requests. In every template, `{to}`, `{digits}`, `{text}`, `{short}` and `{id}` stand for what they say. */
export interface GatewayOptions {
  readonly kind: 'sms' | 'whatsapp'
  /** Template of the address; what is put in is percent-encoded. */
  readonly url: string
  readonly method: string
  /** Template of the body, what is put in escaped as its type asks for; undefined: none. */
  readonly body: string | undefined
  readonly type: string
  readonly headers: readonly (readonly [string, string])[]
  /** What an answer with 2xx must contain to be a success; undefined: nothing. */
  readonly ok: RegExp | undefined
  /** Statuses, and words in any answer, that say that the number will never take the message. */
  readonly permanentStatuses: ReadonlySet<number>
  readonly permanent: RegExp | undefined
  readonly timeoutMs: number
}

/** E.164. */
const PHONE = /^\+[1-9]\d{6,14}$/
const WORD = /(?:\{|%7B)(to|digits|text|short|id)(?:\}|%7D)/gi
const BODY_ERROR = 'the gateway did not take it'

/**
 * Sends each notice as an SMS or a WhatsApp message through a provider with an HTTP interface. 2xx is taken, if it says what `ok` asks for. Only what the
 * operator has named as permanent is: providers answer with any status while an account is being set up or has no money left.
 */
export function openGatewayChannel(options: GatewayOptions): NoticeChannel {
  const { protocol, host } = new URL(options.url)
  const secret = JSON.stringify([options.url, options.body, options.headers])
  return {
    kind: options.kind,
    destination: nameOf(`${options.kind}+${protocol}//${host}`, secret),
    needsRecipient: true,
    send: (notice) => send(notice, options),
    async close() {},
  }
}

async function send(notice: Notice, options: GatewayOptions): Promise<void> {
  const to = notice.recipient ?? ''
  if (!PHONE.test(to)) throw new NoticeError('the address is not a phone number', true)
  const text = options.kind === 'sms' ? notice.short : notice.text
  const words = { to, digits: to.slice(1), text, short: notice.short, id: notice.id }
  const headers = new Headers(options.headers.map(([name, value]) => [name, value]))
  if (options.body !== undefined) headers.set('content-type', options.type)
  headers.set('user-agent', 'coldstream')
  const response = await request({
    url: fill(options.url, words, encodeURIComponent),
    method: options.method,
    headers,
    body: options.body && fill(options.body, words, escaperFor(options.type)),
    timeoutMs: options.timeoutMs,
  })
  await judge(response, options)
}

async function judge(response: Response, options: GatewayOptions): Promise<void> {
  const { ok, permanent, permanentStatuses, timeoutMs } = options
  const readsAnswer = ok !== undefined || permanent !== undefined
  const answer = readsAnswer ? await readAnswer(response, timeoutMs) : ''
  await dismiss(response)
  if (response.ok && (ok === undefined || ok.test(answer))) return
  const isPermanent = permanentStatuses.has(response.status) || permanent?.test(answer) === true
  throw refusal(response.status, isPermanent, response.ok ? BODY_ERROR : '')
}

type Words = Readonly<Record<'to' | 'digits' | 'text' | 'short' | 'id', string>>

function fill(template: string, words: Words, escape: (text: string) => string): string {
  return template.replace(WORD, (_, word: string) => escape(words[word.toLowerCase() as keyof Words]))
}

/** How a text is written inside of a body, so that no name in it can say anything of its own. */
function escaperFor(type: string): (text: string) => string {
  if (/json/i.test(type)) return (text) => JSON.stringify(text).slice(1, -1)
  if (/form-urlencoded/i.test(type)) return encodeURIComponent
  if (/xml/i.test(type)) return escapeXml
  return (text) => text
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
