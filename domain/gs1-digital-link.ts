import { CodedError } from './errors.ts'
import {
  checkedToBuild,
  parseElementString,
  scanOf,
  SCAN_LENGTH_MAX,
  toGtin14,
  type Element,
  type Placed,
  type Scan,
} from './gs1.ts'
import { hasCheckDigit } from './gs1-check-digit.ts'
import { dayOf } from './gs1-date.ts'
import { IDENTIFIERS } from './gs1-identifier.ts'

/** GS1's own resolver; any other host does as well. */
export const RESOLVER = 'https://id.gs1.org'

// GS1 Digital Link URI syntax 1.4: each key with those that may follow it in the path, in this order.
const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['00', []],
  ['01', ['10', '21']],
  ['414', ['254']],
  ['417', []],
  ['8004', []],
])

/** Reads whatever a scanner gives: an element string, a Digital Link, or the bare digits of a retail code. @throws CodedError `scan.*` */
export function parseScan(code: string, currentYear: number): Scan {
  if (code.length > SCAN_LENGTH_MAX)
    throw new CodedError('scan.tooLong', `At most ${SCAN_LENGTH_MAX} characters.`)
  const text = code.trim()
  // `]Q1`, `]d1`: plain QR Code and DataMatrix, in which links are.
  const link = /^(?:\](?:Q1|d1))?(https?:\/\/.*)$/is.exec(text)?.[1]
  if (link !== undefined) return parseDigitalLink(link, currentYear)
  const retail = /^\](?:E0|E4|I1)(\d+)$/.exec(text)?.[1]
  if (retail !== undefined) return onlyGtin(retail)
  // Eight digits may be a date with its identifier; every other code of such digits is of the till.
  const isDate = /^1[1357]\d{6}$/.test(text) && dayOf(text.slice(2), currentYear) !== undefined
  if (/^(?:\d{8}|\d{12,14})$/.test(text) && hasCheckDigit(text) && !isDate) return onlyGtin(text)
  return parseElementString(text, currentYear)
}

function onlyGtin(digits: string): Scan {
  return { elements: [{ ai: '01', value: toGtin14(digits) }], companionsMissing: [] }
}

/** @throws CodedError `scan.*` */
export function parseDigitalLink(link: string, currentYear: number): Scan {
  const match = /^(https?:\/\/[^/?#]+)(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/is.exec(link)
  if (!match) throw new CodedError('scan.badLink', 'It is not an address with a path.')
  const [, origin = '', path = '', query = ''] = match
  return scanOf(
    [...pathElements(path, origin.length), ...queryElements(query, origin.length + path.length + 1)],
    currentYear,
  )
}

// In front of the key there may be any path: many hosts keep their links below one.
function pathElements(path: string, start: number): Placed[] {
  const segments = [...path.matchAll(/[^/]+/g)].map((match) => ({ text: match[0], at: start + match.index }))
  const first = segments.findIndex(({ text }, index) => KEYS.has(text) && index + 1 < segments.length)
  const key = segments[first]?.text
  if (key === undefined)
    throw new CodedError('scan.badLink', 'Its path names no GS1 key, as /01/ with a GTIN would.')
  const allowed = [key, ...(KEYS.get(key) ?? [])]
  const placed: Placed[] = []
  let rank = -1
  for (let index = first; index < segments.length; index += 2) {
    const [{ text: ai, at } = { text: '', at: 0 }, value] = segments.slice(index, index + 2)
    const next = allowed.indexOf(ai)
    if (next <= rank || !value)
      throw new CodedError('scan.badLink', `Character ${at + 1}: ${JSON.stringify(ai)} may not stand there.`)
    rank = next
    const text = decoded(value.text, value.at)
    placed.push({ ai, value: ai === '01' ? toGtin14(text) : text, at, from: value.at })
  }
  return placed
}

// What is no application identifier there is the host's own, such as linkType.
function queryElements(query: string, start: number): Placed[] {
  return [...query.matchAll(/([^&;=]+)=([^&;]*)/g)].flatMap((match) => {
    const [, ai = '', value = ''] = match
    if (!IDENTIFIERS.has(ai)) return []
    const at = start + match.index
    const from = at + ai.length + 1
    return [{ ai, value: decoded(value, from), at, from }]
  })
}

function decoded(text: string, at: number): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new CodedError(
      'scan.badLink',
      `Character ${at + 1}: ${JSON.stringify(text)} is not percent-encoded.`,
    )
  }
}

/**
 * The Digital Link of these elements. @param host with its scheme, and a path if links live below one
 * @throws CodedError `scan.badLink` when there is no key to begin with, and what `buildElementString` throws
 */
export function buildDigitalLink(
  elements: readonly Element[],
  currentYear: number,
  host: string = RESOLVER,
): string {
  const values = new Map(checkedToBuild(elements, currentYear).map(({ ai, value }) => [ai, value]))
  const key = [...KEYS.keys()].find((ai) => values.has(ai))
  if (key === undefined) throw new CodedError('scan.badLink', 'A link needs a GS1 key.')
  const inPath = [key, ...(KEYS.get(key) ?? [])].filter((ai) => values.has(ai))
  const path = inPath.map((ai) => `/${ai}/${encodeURIComponent(values.get(ai) ?? '')}`).join('')
  const query = [...values]
    .filter(([ai]) => !inPath.includes(ai))
    .map(([ai, value]) => `${ai}=${encodeURIComponent(value)}`)
    .join('&')
  return `${host}${path}${query === '' ? '' : `?${query}`}`
}
