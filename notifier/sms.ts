/** One SMS in the GSM alphabet (3GPP TS 23.038), and one in UCS-2, which any other character makes of it. */
const GSM_LENGTH_MAX = 160
const UCS2_LENGTH_MAX = 70

const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
/** These take two places. */
const GSM_EXTENDED = new Set('^{}\\[~]|€')

const MARKS = /\p{M}+/gu
const OTHERS: Readonly<Record<string, string>> = {
  '°': '',
  '…': '...',
  '’': "'",
  '–': '-',
  '−': '-',
  œ: 'oe',
  ' ': ' ',
}

/**
 * The first of the texts that is one SMS, written with letters of the GSM alphabet as far as they are at hand (`ê` becomes `e`); when none fits, the last
 * one cut. One SMS arrives whole, at once and for one price.
 * @param texts the fullest first
 */
export function fitSms(texts: readonly string[]): string {
  const plain = texts.map(simplify)
  const last = plain.at(-1) ?? ''
  return plain.find(fits) ?? cut(last)
}

function simplify(text: string): string {
  return Array.from(text, (character) => (isGsm(character) ? character : plainOf(character))).join('')
}

function plainOf(character: string): string {
  const other = OTHERS[character]
  if (other !== undefined) return other
  const bare = character.normalize('NFD').replace(MARKS, '')
  return bare !== '' && [...bare].every(isGsm) ? bare : character
}

function isGsm(character: string): boolean {
  return GSM.has(character) || GSM_EXTENDED.has(character)
}

function fits(text: string): boolean {
  const characters = [...text]
  if (!characters.every(isGsm)) return text.length <= UCS2_LENGTH_MAX
  const extended = characters.filter((character) => GSM_EXTENDED.has(character)).length
  return characters.length + extended <= GSM_LENGTH_MAX
}

function cut(text: string): string {
  const characters = [...text]
  while (characters.length > 0 && !fits(`${characters.join('')}...`)) characters.pop()
  return `${characters.join('')}...`
}
