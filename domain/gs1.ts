import { CodedError, type ErrorCode } from './errors.ts'
import { hasCheckDigit } from './gs1-check-digit.ts'
import { isDate, dayOf } from './gs1-date.ts'
import { IDENTIFIERS, identifierAt, type Identifier } from './gs1-identifier.ts'
import type { IsoDate } from './stock.ts'

/** More than the largest symbol holds that GS1 allows, and no more. */
export const SCAN_LENGTH_MAX = 8000
const ELEMENTS_MAX = 100

/** FNC1 within a symbol, as scanners send it. */
export const SEPARATOR = '\u001d'

/** One datum of a symbol. */
export interface Element {
  readonly ai: string
  readonly value: string
}

/** An element and where its identifier stands, counted in characters from 0. */
export interface Placed extends Element {
  readonly at: number
  /** Where its value stands. */
  readonly from: number
}

/** What was read, in the order of the symbol. */
export interface Scan {
  readonly elements: readonly Element[]
  /** Identifiers that cannot be alone, with the groups of which each lacks one: they may be in another symbol of the same label. */
  readonly companionsMissing: readonly { readonly ai: string; readonly anyOf: readonly string[] }[]
  /** Another reading, if the scanner dropped the FNC1 that ends a value: a value that runs to the end and ends like a date. */
  readonly otherReading?: readonly Element[] | undefined
}

/**
 * Reads an element string with FNC1 (`]d2`, `]C1`, `]Q3`, `]e0` in front of it, or nothing), or one for people, with parentheses.
 * @param currentYear for dates, whose years have two digits
 * @throws CodedError `scan.*`, with the position
 */
export function parseElementString(code: string, currentYear: number): Scan {
  const { text, start } = bare(code)
  if (text.startsWith('(', start)) return scanOf(unbracket(text, start), currentYear)
  const scan = scanOf(splitElements(text, start, currentYear), currentYear)
  if (text.includes(SEPARATOR, start)) return scan
  return { ...scan, otherReading: readWithoutSeparator(scan.elements, currentYear) }
}

/** Checks elements that were found each by each, and together. @throws CodedError `scan.*` */
export function scanOf(placed: readonly Placed[], currentYear: number): Scan {
  for (const element of placed) checkElement(element, currentYear)
  checkTogether(placed)
  const elements = placed.map(({ ai, value }) => ({ ai, value }))
  return { elements, companionsMissing: companionsMissing(elements) }
}

// ISO/IEC 15424: what scanners put in front of GS1 data.
const SYMBOLS = /^\](?:C1|d2|Q3|e0|J1)/

function bare(code: string): { text: string; start: number } {
  if (code.length > SCAN_LENGTH_MAX)
    throw new CodedError('scan.tooLong', `At most ${SCAN_LENGTH_MAX} characters.`)
  // Wedges that cannot type a control character write it so; neither is in GS1's character set.
  const text = code.replaceAll(/\{GS\}|␝/g, SEPARATOR)
  const symbol = SYMBOLS.exec(text)?.[0] ?? ''
  if (symbol === '' && text.startsWith(']'))
    throw refusal('scan.notGs1', 0, `${JSON.stringify(text.slice(0, 3))} is not the symbol of a GS1 code`)
  const start = symbol.length + (text[symbol.length] === SEPARATOR ? 1 : 0)
  if (start >= text.length) throw new CodedError('scan.empty')
  return { text, start }
}

function refusal(code: ErrorCode, at: number, what: string): CodedError {
  return new CodedError(code, `Character ${at + 1}: ${what}.`)
}

function splitElements(text: string, start: number, currentYear: number): Placed[] {
  const placed: Placed[] = []
  for (let at = start; at < text.length;) {
    if (placed.length === ELEMENTS_MAX)
      throw refusal('scan.tooLong', at, `more than ${ELEMENTS_MAX} elements`)
    const identifier = identifierAt(text, at)
    if (!identifier) throw unknownAt(text, at, placed.at(-1))
    const from = at + identifier.ai.length
    const end = endOf(text, from, identifier)
    const element = { ai: identifier.ai, value: text.slice(from, end), at, from }
    // At once: behind a value that is wrong, everything looks wrong.
    checkElement(element, currentYear)
    placed.push(element)
    at = text[end] === SEPARATOR ? end + 1 : end
  }
  return placed
}

function endOf(text: string, from: number, { isPredefined, lengthMax }: Identifier): number {
  const separator = text.indexOf(SEPARATOR, from)
  const end = separator === -1 ? text.length : separator
  return isPredefined ? Math.min(end, from + lengthMax) : end
}

function unknownAt(text: string, at: number, before: Element | undefined): CodedError {
  const found = JSON.stringify(text.slice(at, at + 4))
  const after = before ? ` after the value of AI ${before.ai}` : ''
  return refusal('scan.unknownAi', at, `${found}${after} begins with no application identifier that is known`)
}

function checkElement({ ai, value, at, from: where }: Placed, currentYear: number): void {
  const identifier = IDENTIFIERS.get(ai)
  if (!identifier) throw refusal('scan.unknownAi', at, `AI ${ai} is not known`)
  const named = `AI ${ai} (${identifier.title})`
  if (value.length > identifier.lengthMax) throw tooLong(identifier, value, where)
  if (value.length < identifier.lengthMin)
    throw refusal('scan.badLength', where, `${named} is too short: ${value.length} characters`)
  if (!identifier.pattern.test(value))
    throw refusal('scan.badCharacter', where, `${named} may not be ${JSON.stringify(value)}`)
  if (identifier.hasCheckDigit && !hasCheckDigit(value))
    throw refusal('scan.badCheckDigit', where + value.length - 1, `${named} ${value} is misread`)
  if (identifier.date && !isDate(value, identifier.date, currentYear))
    throw refusal('scan.badDate', where, `${named} ${value} is no date`)
}

function tooLong(identifier: Identifier, value: string, where: number): CodedError {
  const { ai, title, lengthMax } = identifier
  return refusal(
    'scan.separatorMissing',
    where + lengthMax,
    `AI ${ai} (${title}) has ${value.length} characters, at most ${lengthMax} are allowed; the scanner may have dropped the FNC1 that ends it, so that what follows was taken for a part of it: set it to send FNC1 as GS (0x1D)`,
  )
}

// `\(` is a parenthesis within a value, as in the syntax of GS1's own tools.
function unbracket(text: string, start: number): Placed[] {
  const placed: Placed[] = []
  const element = /\((\d{2,4})\)((?:[^\\(]|\\[\\(])*)/y
  element.lastIndex = start
  while (element.lastIndex < text.length) {
    const at = element.lastIndex
    const match = element.exec(text)
    if (!match)
      throw refusal('scan.notGs1', at, 'an application identifier in parentheses, such as (01), belongs here')
    if (placed.length === ELEMENTS_MAX)
      throw refusal('scan.tooLong', at, `more than ${ELEMENTS_MAX} elements`)
    const [, ai = '', value = ''] = match
    placed.push({ ai, value: value.replaceAll(/\\([\\(])/g, '$1'), at, from: at + ai.length + 2 })
  }
  return placed
}

function checkTogether(placed: readonly Placed[]): void {
  const seen = new Map<string, Placed>()
  for (const element of placed) {
    const before = seen.get(element.ai)
    if (before && before.value !== element.value)
      throw refusal('scan.contradiction', element.at, `AI ${element.ai} has another value than before`)
    seen.set(element.ai, element)
  }
  for (const { ai, at } of placed) {
    const other = IDENTIFIERS.get(ai)?.excludes?.find((one) => seen.has(one))
    if (other !== undefined)
      throw refusal('scan.contradiction', at, `AI ${ai} and AI ${other} exclude each other`)
  }
}

function companionsMissing(elements: readonly Element[]): { ai: string; anyOf: readonly string[] }[] {
  const present = new Set(elements.map(({ ai }) => ai))
  return elements.flatMap(({ ai }) =>
    (IDENTIFIERS.get(ai)?.companions ?? [])
      .filter((anyOf) => !anyOf.some((one) => present.has(one)))
      .map((anyOf) => ({ ai, anyOf })),
  )
}

// A dropped FNC1 cannot be seen. But a batch that ends like an element string of dates, in a symbol that has no such date, is a strange batch.
function readWithoutSeparator(
  elements: readonly Element[],
  currentYear: number,
): readonly Element[] | undefined {
  const last = elements.at(-1)
  if (!last || IDENTIFIERS.get(last.ai)?.isPredefined !== false) return undefined
  const present = new Set(elements.map(({ ai }) => ai))
  for (const match of last.value.matchAll(/(?=(1[17]\d{6}.*)$)/g)) {
    const rest = match[1] ?? ''
    if (match.index === 0 || present.has(rest.slice(0, 2))) continue
    const swallowed = tryRead(rest, currentYear)
    if (swallowed)
      return [
        ...elements.slice(0, -1),
        { ai: last.ai, value: last.value.slice(0, match.index) },
        ...swallowed,
      ]
  }
  return undefined
}

function tryRead(text: string, currentYear: number): Element[] | undefined {
  try {
    return splitElements(text, 0, currentYear).map(({ ai, value }) => ({ ai, value }))
  } catch {
    return undefined
  }
}

/**
 * The element string of these elements: what a printer of barcodes is given. Those of predefined length come first, so that the fewest separators are needed.
 * @throws CodedError `scan.*` when they are no element string, or lack a companion
 */
export function buildElementString(elements: readonly Element[], currentYear: number): string {
  return inOrder(checkedToBuild(elements, currentYear))
    .map(({ ai, value }, index, all) => {
      const ends = IDENTIFIERS.get(ai)?.isPredefined === true || index === all.length - 1
      return `${ai}${value}${ends ? '' : SEPARATOR}`
    })
    .join('')
}

/** The same for people to read, below the symbol. */
export function buildBracketed(elements: readonly Element[], currentYear: number): string {
  return inOrder(checkedToBuild(elements, currentYear))
    .map(({ ai, value }) => `(${ai})${value.replaceAll(/[\\(]/g, String.raw`\$&`)}`)
    .join('')
}

function inOrder(elements: readonly Element[]): Element[] {
  const rank = ({ ai }: Element) => (IDENTIFIERS.get(ai)?.isPredefined ? 0 : 1)
  return elements.toSorted((a, b) => rank(a) - rank(b))
}

/** @throws CodedError `scan.*` */
export function checkedToBuild(elements: readonly Element[], currentYear: number): readonly Element[] {
  if (elements.length === 0) throw new CodedError('scan.empty')
  scanOf(
    elements.map((element) => ({ ...element, at: 0, from: 0 })),
    currentYear,
  )
  const [missing] = companionsMissing(elements)
  if (missing)
    throw new CodedError(
      'scan.companionMissing',
      `AI ${missing.ai} needs one of AI ${missing.anyOf.join(', ')}.`,
    )
  return elements
}

/** GTIN-8, -12, -13 or -14 in the 14 digits that are compared and kept. @throws CodedError `scan.badLength`, `scan.badCheckDigit` */
export function toGtin14(gtin: string): string {
  if (!/^(?:\d{8}|\d{12,14})$/.test(gtin))
    throw new CodedError('scan.badLength', 'A GTIN has 8, 12, 13 or 14 digits.')
  if (!hasCheckDigit(gtin)) throw new CodedError('scan.badCheckDigit', `GTIN ${gtin} is misread.`)
  return gtin.padStart(14, '0')
}

/** What the elements say, in our words. */
export interface Label {
  readonly sscc?: string | undefined
  readonly gtin?: string | undefined
  /** Of what a pallet or a carton holds, and how many of it. */
  readonly contentGtin?: string | undefined
  readonly count?: number | undefined
  readonly lotCode?: string | undefined
  readonly serial?: string | undefined
  readonly manufacturedOn?: IsoDate | undefined
  readonly expiresOn?: IsoDate | undefined
  readonly maxCelsius?: number | undefined
  readonly minCelsius?: number | undefined
  readonly assetId?: string | undefined
}

export function labelOf(elements: readonly Element[], currentYear: number): Label {
  const values = new Map(elements.map(({ ai, value }) => [ai, value]))
  const day = (ai: string) => {
    const value = values.get(ai)
    return value === undefined ? undefined : dayOf(value.slice(0, 6), currentYear)
  }
  const number = (ai: string) => {
    const value = values.get(ai)
    return value === undefined ? undefined : Number(value)
  }
  return {
    sscc: values.get('00'),
    gtin: values.get('01'),
    contentGtin: values.get('02'),
    count: number('37') ?? number('30'),
    lotCode: values.get('10'),
    serial: values.get('21'),
    manufacturedOn: day('11'),
    expiresOn: day('17') ?? day('7003'),
    maxCelsius: celsius(values.get('4331'), values.get('4330')),
    minCelsius: celsius(values.get('4333'), values.get('4332')),
    assetId: values.get('8004'),
  }
}

function celsius(inCelsius: string | undefined, inFahrenheit: string | undefined): number | undefined {
  if (inCelsius !== undefined) return degrees(inCelsius)
  if (inFahrenheit === undefined) return undefined
  return Math.round(((degrees(inFahrenheit) - 32) * 500) / 9) / 100
}

function degrees(value: string): number {
  const hundredths = Number(value.slice(0, 6))
  return (value.endsWith('-') ? -hundredths : hundredths) / 100
}
