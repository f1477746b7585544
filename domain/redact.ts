const SECRET_NAMES =
  '[\\w-]*(?:password|passwd|passphrase|secret|token|authorization|api[-_]?key|private[-_]?key|cookie)[\\w-]*'
const PERSONAL_NAMES = '(?:e[-_]?mail|phone|phone[-_]?number|msisdn|mobile|recipient|whatsapp)'

/** What is replaced by what, in this order. Each is bounded in what it looks back or ahead over, so that no text takes long. */
const RULES: readonly (readonly [RegExp, string])[] = [
  // Fields of JSON, also of JSON inside of a text.
  [
    new RegExp(
      `("(?:${SECRET_NAMES}|${PERSONAL_NAMES})"\\s*:\\s*)"(?!\\[(?:set|redacted)\\]")(?:[^"\\\\]|\\\\.)*"`,
      'gi',
    ),
    '$1"[redacted]"',
  ],
  [
    new RegExp(`(\\\\"(?:${SECRET_NAMES}|${PERSONAL_NAMES})\\\\"\\s*:\\s*)\\\\"[^"\\\\]*\\\\"`, 'gi'),
    '$1\\"[redacted]\\"',
  ],
  [/("(?:password|pass_?code|pin|otp|token|secret)"\s*:\s*)-?\d[\d.e+-]*/gi, '$1"[redacted]"'],
  // Headers, and parameters of addresses and forms.
  [/\b(Bearer|Basic|Digest)\s+[A-Za-z0-9._~+/=-]{4,}/gi, '$1 [redacted]'],
  [new RegExp(`\\b((?:${SECRET_NAMES}|key|pwd)=)[^\\s&"'\\\\,;]+`, 'gi'), '$1[redacted]'],
  [/(:\/\/)[^\s/"'@]{1,300}@/g, '$1[redacted]@'],
  // Secrets that are known by their form: JWT, signing keys of Standard Webhooks, tokens of Telegram bots.
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, '[redacted]'],
  [/\bwhsec_[A-Za-z0-9+/=]+/g, '[redacted]'],
  [/\b\d{6,12}:[A-Za-z0-9_-]{30,}/g, '[redacted]'],
  // E-mail addresses; telephone numbers as they are dialled from abroad, and at home.
  [/(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+/g, '[e-mail]'],
  [/(?<![\w+])\+\d(?:[ ().-]{0,2}\d){6,14}(?!\d)/g, '[phone]'],
  [/(?<![\w.:+-])0\d(?:[ -]?\d){7,12}(?![\w.:-])/g, '[phone]'],
]

/**
 * A text without what nobody should read in a log: passwords, tokens, keys, credentials in addresses, e-mail addresses, telephone numbers. It knows them by
 * the name that stands before them or by their form, so that it is the last guard and not the only one. JSON stays JSON.
 */
export function redact(text: string): string {
  let left = text
  for (const [pattern, replacement] of RULES) left = left.replace(pattern, replacement)
  return left
}
