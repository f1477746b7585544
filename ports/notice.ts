/** One message to one destination, ready to be sent. */
export interface Notice {
  /** Stable across retries: receivers can use it to recognise a repetition (webhook-id, Message-ID). */
  readonly id: string
  /** When it was made, epoch milliseconds; the same in every attempt. */
  readonly createdAt: number
  /** `opened`, `reminder`, `recovered`, `corrected`, `withdrawn`, `closed`, or `test`: about no breach. */
  readonly step: string
  readonly subject: string
  /** Plain text, plain words first. */
  readonly text: string
  /** The same as a page for mail programs, every name in it escaped. */
  readonly html: string
  /** One SMS, plain words too. */
  readonly short: string
  /** The same as data, for machines. */
  readonly data: Readonly<Record<string, unknown>>
  /** Who it is for, in the channel's own terms (an e-mail address, a phone number, a chat id, a push subscription as JSON); undefined when the channel has one fixed receiver. */
  readonly recipient: string | undefined
}

/** A way to reach people or machines. One per entry in `NOTICE_URLS`. Its promises are held by `test/contracts/notice.ts`. */
export interface NoticeChannel {
  /** `console`, `webhook`, `smtp`, `sms`, `whatsapp`, `telegram`, `push`: says which address of a person it takes. */
  readonly kind: string
  /** Names this destination in the database and the log: no secrets in it. Stable across restarts. */
  readonly destination: string
  /** True when each message needs a recipient that the notifier finds among the users of the facility. */
  readonly needsRecipient: boolean
  /** Resolves when the receiver has taken it. Throws `NoticeError`. Bounded in time by the channel's own timeout. */
  send(notice: Notice): Promise<void>
  close(): Promise<void>
}

/** `permanent`: sending the same again cannot succeed (a rejected address, 410 Gone). */
export class NoticeError extends Error {
  readonly permanent: boolean
  constructor(message: string, permanent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NoticeError'
    this.permanent = permanent
  }
}
