import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { findLotLabel } from '../../db/queries/scan.ts'
import { CodedError, type ErrorCode } from '../../domain/errors.ts'
import { buildBracketed, buildElementString, SCAN_LENGTH_MAX, type Element } from '../../domain/gs1.ts'
import { yymmddOf } from '../../domain/gs1-date.ts'
import { buildDigitalLink } from '../../domain/gs1-digital-link.ts'
import { IDENTIFIERS } from '../../domain/gs1-identifier.ts'
import { found } from '../caller.ts'
import type { RouteDeps } from '../deps.ts'
import { lookUp, WARNINGS, type Looked, type Warning } from '../scan.ts'
import { closed, Id, IdParams, nullable, operation, Time } from '../schemas.ts'
import { toRfc3339OrNull } from '../time.ts'
import { dayIn } from '../../domain/calendar.ts'
import { onHandView, OnHand } from './stock.ts'

const Datum = Type.Object({ ai: Type.String(), title: Type.String(), value: Type.String() })
const Read = Type.Object({
  sscc: nullable(Type.String()),
  gtin: nullable(Type.String()),
  contentGtin: nullable(Type.String()),
  count: nullable(Type.Integer()),
  lotCode: nullable(Type.String()),
  serial: nullable(Type.String()),
  manufacturedOn: nullable(Type.String()),
  expiresOn: nullable(Type.String()),
  maxCelsius: nullable(Type.Number()),
  minCelsius: nullable(Type.Number()),
  assetId: nullable(Type.String()),
})
const NewLot = Type.Object({
  tradeItemId: Id,
  code: Type.String(),
  expiresOn: Type.String(),
  manufacturedOn: nullable(Type.String()),
})
const Scanned = Type.Object(
  {
    elements: Type.Array(Datum),
    otherReading: nullable(Type.Array(Datum)),
    read: Read,
    tradeItem: nullable(
      Type.Object({
        id: Id,
        name: Type.String(),
        gtin: nullable(Type.String()),
        dosesPerPack: Type.Integer(),
        itemId: Id,
        itemCode: Type.String(),
        itemName: Type.String(),
      }),
    ),
    lot: nullable(
      Type.Object({
        id: Id,
        code: Type.String(),
        expiresOn: Type.String(),
        manufacturedOn: nullable(Type.String()),
        recalledAt: nullable(Time),
        recallReason: nullable(Type.String()),
      }),
    ),
    onHand: Type.Union([Type.Array(OnHand), Type.Null()], { description: 'Null without a facilityId.' }),
    shipment: Type.Union(
      [
        Type.Object({
          id: Id,
          documentNo: Type.String(),
          orderId: Id,
          status: Type.Enum(['shipped', 'received', 'recalled']),
          fromFacilityId: Id,
          toFacilityId: Id,
        }),
        Type.Null(),
      ],
      { description: 'That carries the SSCC: see GET /v1/shipments/{id}.' },
    ),
    unknown: Type.Array(Type.Enum(['tradeItem', 'lot', 'shipment']), {
      description: 'What the code names and the register does not have.',
    }),
    newLot: Type.Union([NewLot, Type.Null()], {
      description: 'Of an unknown lot: what to send to POST /v1/lots; null if the code does not say enough.',
    }),
    warnings: Type.Array(
      Type.Object({ code: Type.Enum(Object.keys(WARNINGS) as Warning[]), message: Type.String() }),
    ),
  },
  { title: 'Scan' },
)
const NewScan = Type.Object(
  {
    code: Type.String({
      maxLength: SCAN_LENGTH_MAX,
      description: 'As the scanner sent it, FNC1 as GS (0x1D); or a Digital Link, or (01)...(10)...',
    }),
    facilityId: Type.Optional({ ...Id, description: 'Whose stock of it is wanted.' }),
  },
  closed,
)
const Label = Type.Object(
  {
    elementString: Type.String({
      description: 'For a printer of barcodes; FNC1 is GS (0x1D), also in front of it.',
    }),
    text: Type.String({ description: 'To print below the symbol.' }),
    digitalLink: nullable(Type.String({ description: 'For a QR Code.' })),
  },
  { title: 'Label' },
)
const NewLabel = Type.Object(
  {
    elements: Type.Array(
      Type.Object(
        {
          ai: Type.String({ pattern: '^\\d{2,4}$' }),
          value: Type.String({ minLength: 1, maxLength: 90 }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 20 },
    ),
  },
  closed,
)

const MISREAD: readonly ErrorCode[] = [
  'scan.empty',
  'scan.tooLong',
  'scan.notGs1',
  'scan.unknownAi',
  'scan.badLength',
  'scan.badCharacter',
  'scan.badCheckDigit',
  'scan.badDate',
  'scan.separatorMissing',
  'scan.contradiction',
  'scan.badLink',
]
const scan = operation(
  {
    operationId: 'scanCode',
    summary: 'Read a GS1 code, and look up what it is about',
    description: 'Changes nothing. An error says at which character of the code it is.',
    tags: ['codes'],
    body: NewScan,
    response: { 200: Scanned },
  },
  [...MISREAD, 'resource.notFound'],
)
const ofLot = operation(
  {
    operationId: 'getLotLabel',
    summary: 'What to print on a label of a lot',
    tags: ['codes'],
    params: IdParams,
    response: { 200: Label },
  },
  ['scan.noGtin', 'scan.badCharacter', 'scan.separatorMissing'],
)
const build = operation(
  {
    operationId: 'buildLabel',
    summary: 'What to print on a label with these elements, such as the SSCC of a pallet',
    description: 'Changes nothing.',
    tags: ['codes'],
    body: NewLabel,
    response: { 200: Label },
  },
  [...MISREAD, 'scan.companionMissing'],
)

export const scanRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const currentYear = () => Number(dayIn('UTC', deps.clock.now()).slice(0, 4))
  app.post('/scan', { schema: scan }, async ({ body, caller }) => scanView(await lookUp(deps, caller, body)))
  app.post('/labels', { schema: build }, async ({ body }) => labelView(body.elements, currentYear()))
  app.get('/lots/:id/label', { schema: ofLot }, async ({ params }) => {
    const { gtin, code, expiresOn, manufacturedOn } = found(await findLotLabel(deps.db, params.id))
    if (gtin === null) throw new CodedError('scan.noGtin')
    const made = manufacturedOn === null ? [] : [{ ai: '11', value: yymmddOf(manufacturedOn) }]
    const elements = [
      { ai: '01', value: gtin },
      ...made,
      { ai: '17', value: yymmddOf(expiresOn) },
      { ai: '10', value: code },
    ]
    return labelView(elements, currentYear())
  })
}

function labelView(elements: readonly Element[], currentYear: number): Static<typeof Label> {
  const elementString = buildElementString(elements, currentYear)
  return {
    elementString,
    text: buildBracketed(elements, currentYear),
    digitalLink: linkOf(elements, currentYear),
  }
}

function linkOf(elements: readonly Element[], currentYear: number): string | null {
  try {
    return buildDigitalLink(elements, currentYear)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'scan.badLink') return null
    throw error
  }
}

function scanView(looked: Looked): Static<typeof Scanned> {
  const { scan: read, tradeItem, lot, onHand, shipment, warnings } = looked
  return {
    elements: read.elements.map(datumView),
    otherReading: read.otherReading?.map(datumView) ?? null,
    read: readView(looked),
    tradeItem: tradeItem ?? null,
    lot: lot ? { ...lot, recalledAt: toRfc3339OrNull(lot.recalledAt) } : null,
    onHand: onHand?.map((row) => onHandView(row)) ?? null,
    shipment: shipment ?? null,
    unknown: unknownOf(looked),
    newLot: newLotOf(looked),
    warnings: warnings.map((code) => ({ code, message: WARNINGS[code] })),
  }
}

function unknownOf({ label, tradeItem, lot, shipment }: Looked): Static<typeof Scanned>['unknown'] {
  const isNamed = {
    tradeItem: (label.gtin ?? label.contentGtin) !== undefined && !tradeItem,
    lot: label.lotCode !== undefined && !lot,
    shipment: label.sscc !== undefined && !shipment,
  }
  return (['tradeItem', 'lot', 'shipment'] as const).filter((kind) => isNamed[kind])
}

function datumView({ ai, value }: Element): Static<typeof Datum> {
  return { ai, title: IDENTIFIERS.get(ai)?.title ?? '', value }
}

function readView({ label }: Looked): Static<typeof Read> {
  return {
    sscc: label.sscc ?? null,
    gtin: label.gtin ?? null,
    contentGtin: label.contentGtin ?? null,
    count: label.count ?? null,
    lotCode: label.lotCode ?? null,
    serial: label.serial ?? null,
    manufacturedOn: label.manufacturedOn ?? null,
    expiresOn: label.expiresOn ?? null,
    maxCelsius: label.maxCelsius ?? null,
    minCelsius: label.minCelsius ?? null,
    assetId: label.assetId ?? null,
  }
}

// Not when the code may have been misread: a lot under a wrong name is worse than one that has to be typed.
function newLotOf({ scan: { otherReading }, label, tradeItem, lot }: Looked): Static<typeof NewLot> | null {
  const { lotCode: code, expiresOn, manufacturedOn } = label
  if (!tradeItem || lot || otherReading || code === undefined || expiresOn === undefined) return null
  return { tradeItemId: tradeItem.id, code, expiresOn, manufacturedOn: manufacturedOn ?? null }
}
