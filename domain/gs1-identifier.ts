/**
 * An application identifier: what the value after it is. From the GS1 Barcode Syntax Dictionary, with those that occur on vaccines, their
 * cartons and pallets.
 */
export interface Identifier {
  readonly ai: string
  readonly title: string
  /** What the value looks like as a whole. */
  readonly pattern: RegExp
  readonly lengthMin: number
  readonly lengthMax: number
  /** Its length is known to every scanner, so that no FNC1 has to follow. All others need one unless they are last. */
  readonly isPredefined: boolean
  readonly hasCheckDigit?: true
  /** `day`: YYMMDD where day 00 is the last of the month; `minute`: YYMMDDHHMM. */
  readonly date?: 'day' | 'minute'
  /** It must not be alone: one of each group has to be on the same thing (not always in the same symbol). */
  readonly companions?: readonly (readonly string[])[]
  /** It contradicts these. */
  readonly excludes?: readonly string[]
}

// GS1 General Specifications, figure 7.11-1: character set 82.
const TEXT = `[!"%&'()*+,\\-./0-9:;<=>?A-Z_a-z]`
const PRODUCT = [['01', '02']]
const PALLET = [['00']]

const digits = (ai: string, title: string, length: number, more: Partial<Identifier> = {}): Identifier => ({
  ai,
  title,
  pattern: new RegExp(`^[0-9]{${length}}$`),
  lengthMin: length,
  lengthMax: length,
  isPredefined: true,
  ...more,
})
const count = (ai: string, title: string, companions: Identifier['companions']): Identifier => ({
  ...digits(ai, title, 8, companions ? { companions } : {}),
  pattern: /^[0-9]{1,8}$/,
  lengthMin: 1,
  isPredefined: false,
})
const words = (
  ai: string,
  title: string,
  lengthMax: number,
  companions?: Identifier['companions'],
): Identifier => ({
  ai,
  title,
  pattern: new RegExp(`^${TEXT}{1,${lengthMax}}$`),
  lengthMin: 1,
  lengthMax,
  isPredefined: false,
  ...(companions ? { companions } : {}),
})
const day = (ai: string, title: string) => digits(ai, title, 6, { date: 'day', companions: PRODUCT })
const key = (ai: string, title: string, length: number, more: Partial<Identifier> = {}) =>
  digits(ai, title, length, { hasCheckDigit: true, ...more })
// In hundredths of a degree; a minus sign comes last.
const temperature = (ai: string, title: string, other: string): Identifier => ({
  ...digits(ai, title, 7, { companions: PALLET, excludes: [other] }),
  pattern: /^[0-9]{6}-?$/,
  lengthMin: 6,
  isPredefined: false,
})

const TABLE: readonly Identifier[] = [
  key('00', 'SSCC', 18),
  key('01', 'GTIN', 14, { excludes: ['02', '37'] }),
  key('02', 'CONTENT', 14, { companions: [['37'], ['00']], excludes: ['01'] }),
  words('10', 'BATCH/LOT', 20, PRODUCT),
  day('11', 'PROD DATE'),
  day('13', 'PACK DATE'),
  day('15', 'BEST BEFORE'),
  day('17', 'USE BY'),
  { ...digits('20', 'VARIANT', 2, { companions: PRODUCT }) },
  words('21', 'SERIAL', 20, [['01']]),
  words('240', 'ADDITIONAL ID', 30, PRODUCT),
  words('241', 'CUST. PART No.', 30, PRODUCT),
  words('254', 'GLN EXTENSION COMPONENT', 20, [['414']]),
  count('30', 'VAR. COUNT', PRODUCT),
  count('37', 'COUNT', [['02'], ['00']]),
  words('400', 'ORDER NUMBER', 30),
  key('410', 'SHIP TO LOC', 13),
  key('414', 'LOC No.', 13),
  key('416', 'PROD/SERV LOC', 13),
  key('417', 'PARTY', 13),
  temperature('4330', 'MAX TEMP F.', '4331'),
  temperature('4331', 'MAX TEMP C.', '4330'),
  temperature('4332', 'MIN TEMP F.', '4333'),
  temperature('4333', 'MIN TEMP C.', '4332'),
  digits('7003', 'EXPIRY TIME', 10, { isPredefined: false, date: 'minute', companions: PRODUCT }),
  // National reimbursement numbers are on many European medicines, company internal ones on others.
  ...['710', '711', '712', '713', '714', '715'].map((ai) => words(ai, 'NHRN', 20, [['01']])),
  words('8004', 'GIAI', 30),
  words('90', 'INTERNAL', 30),
  ...['91', '92', '93', '94', '95', '96', '97', '98', '99'].map((ai) => words(ai, 'INTERNAL', 90)),
]

export const IDENTIFIERS: ReadonlyMap<string, Identifier> = new Map(TABLE.map((one) => [one.ai, one]))

/** The identifier that a text begins with at a position. None is the beginning of another. */
export function identifierAt(text: string, at: number): Identifier | undefined {
  return [2, 3, 4]
    .map((length) => IDENTIFIERS.get(text.slice(at, at + length)))
    .find((one) => one !== undefined)
}
