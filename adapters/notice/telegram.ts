import { NoticeError, type Notice, type NoticeChannel } from '../../ports/notice.ts'
import { dismiss, nameOf, readAnswer, refusal, request } from './http.ts'

export interface TelegramOptions {
  /** `https://api.telegram.org`, or that of a Bot API server of one's own. */
  readonly origin: string
  readonly token: string
  readonly timeoutMs: number
}

/** A number, or the name of a channel. */
const CHAT = /^(-?\d{1,20}|@\w{5,32})$/
/** What the Bot API takes in one message. */
const TEXT_LENGTH_MAX = 4096

/**
 * Sends each notice as a message of a Telegram bot. A chat that does not exist, or in which the bot is blocked, is permanent; a wrong token is for the
 * operator to mend, and is tried again like everything else.
 */
export function openTelegramChannel(options: TelegramOptions): NoticeChannel {
  return {
    kind: 'telegram',
    destination: nameOf(options.origin, options.token),
    needsRecipient: true,
    send: (notice) => send(notice, options),
    async close() {},
  }
}

async function send(
  { recipient = '', subject, text, step }: Notice,
  options: TelegramOptions,
): Promise<void> {
  if (!CHAT.test(recipient)) throw new NoticeError('the address is not a Telegram chat', true)
  const words = step === 'test' ? text : `${subject}\n\n${text}`
  const body = { chat_id: recipient, text: cut(words), link_preview_options: { is_disabled: true } }
  const response = await request({
    url: `${options.origin}/bot${options.token}/sendMessage`,
    method: 'POST',
    headers: new Headers({ 'content-type': 'application/json', 'user-agent': 'coldstream' }),
    body: JSON.stringify(body),
    timeoutMs: options.timeoutMs,
  })
  const answer = parse(await readAnswer(response, options.timeoutMs))
  await dismiss(response)
  if (response.ok && answer.ok === true) return
  const { status } = response
  const isPermanent = answer.ok === false && (status === 400 || status === 403)
  throw refusal(status, isPermanent, answer.ok === false ? answer.description : 'no answer of the Bot API')
}

function cut(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX - 1).toWellFormed()}…`
}

interface Answer {
  readonly ok: boolean | undefined
  readonly description: string
}

/** What the Bot API says; a proxy in between says anything. */
function parse(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('ok' in value))
      return { ok: undefined, description: '' }
    const description = 'description' in value ? String(value.description).slice(0, 100) : ''
    return { ok: value.ok === true, description: description.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ') }
  } catch {
    return { ok: undefined, description: '' }
  }
}
