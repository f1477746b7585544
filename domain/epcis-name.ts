import { checkDigit } from './gs1-check-digit.ts'
import { parseDigitalLink } from './gs1-digital-link.ts'
import { buildDigitalLink, RESOLVER } from './gs1-digital-link.ts'
import { CodedError } from './errors.ts'

// Names are URIs. What GS1 has a key for gets a Digital Link; for the rest there are URNs of ours.
const OURS =
  /^urn:coldstream:(facility|storage-point|lot|stock-event|device|rule|order|shipment):([\w.-]{1,64})(?::(\d{1,3}))?$/
const UUID = /^urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i

/** @param gln of the facility, if it has one */
export function facilityName(id: string, gln: string | null): string {
  return gln === null ? `urn:coldstream:facility:${id}` : `${RESOLVER}/414/${gln}`
}

export function nameOf(kind: 'storage-point' | 'device' | 'rule' | 'order' | 'shipment', id: string): string {
  return `urn:coldstream:${kind}:${id}`
}

/** The class of all doses of a lot: a Digital Link where its trade item has a GTIN and its code is one that GS1 allows. */
export function lotName(lot: {
  readonly id: string
  readonly gtin: string | null
  readonly code: string
}): string {
  try {
    // The year counts for dates only.
    if (lot.gtin !== null)
      return buildDigitalLink(
        [
          { ai: '01', value: lot.gtin },
          { ai: '10', value: lot.code },
        ],
        2000,
      )
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
  }
  return `urn:coldstream:lot:${lot.id}`
}

export type LotNamed = { readonly lotId: string } | { readonly gtin: string; readonly code: string }

/** What lot a class is: ours, a Digital Link on any host, or an LGTIN. */
export function parseLotName(name: string): LotNamed | undefined {
  const ours = OURS.exec(name)
  if (ours?.[1] === 'lot') return { lotId: ours[2] ?? '' }
  const lgtin = /^urn:epc:class:lgtin:(\d{6,12})\.(\d)(\d{0,6})\.([^.]+)$/.exec(name)
  if (lgtin) return parseLgtin(lgtin)
  const values = linkValues(name)
  const [gtin, code] = [values.get('01'), values.get('10')]
  return gtin === undefined || code === undefined ? undefined : { gtin, code }
}

// EPC Tag Data Standard 6.3: company prefix, then the indicator digit with the item reference.
function parseLgtin([, prefix = '', indicator = '', item = '', code = '']: readonly string[]):
  | LotNamed
  | undefined {
  const digits = `${indicator}${prefix}${item}`
  const decoded = decode(code)
  if (digits.length !== 13 || decoded === undefined) return undefined
  return { gtin: `${digits}${checkDigit(digits)}`, code: decoded }
}

export type PlaceNamed =
  | { readonly facilityId: string }
  | { readonly storagePointId: string }
  | { readonly gln: string }

/** What place a readPoint, bizLocation, source or destination is: ours, or a GLN as Digital Link or SGLN. */
export function parsePlaceName(name: string): PlaceNamed | undefined {
  const [, kind, id = ''] = OURS.exec(name) ?? []
  if (kind === 'facility') return { facilityId: id }
  if (kind === 'storage-point') return { storagePointId: id }
  const sgln = /^urn:epc:id:sgln:(\d{6,12})\.(\d{0,6})\.[^.]+$/.exec(name)
  const digits = `${sgln?.[1] ?? ''}${sgln?.[2] ?? ''}`
  if (digits.length === 12) return { gln: `${digits}${checkDigit(digits)}` }
  const gln = linkValues(name).get('414')
  return gln === undefined ? undefined : { gln }
}

/** The eventID of part `part` of something of ours. */
export function eventName(id: string, part = 0): string {
  return part === 0 ? `urn:uuid:${id}` : `urn:coldstream:stock-event:${id}:${part}`
}

/** The id of ours behind an eventID; undefined when it has not the form of one. */
export function parseEventName(name: string): string | undefined {
  const uuid = UUID.exec(name)?.[1]?.toLowerCase()
  const [, kind, id] = OURS.exec(name) ?? []
  return uuid ?? (kind === 'stock-event' ? id : undefined)
}

function linkValues(name: string): ReadonlyMap<string, string> {
  try {
    return new Map(parseDigitalLink(name, 2000).elements.map(({ ai, value }) => [ai, value]))
  } catch (error) {
    if (error instanceof CodedError) return new Map()
    throw error
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
