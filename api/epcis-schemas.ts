import { Type, type TSchema } from 'typebox'
import { SENSOR_FIELDS, COMPARISONS } from '../domain/epcis-filter.ts'
import { closed, Time } from './schemas.ts'

/** A document of more is sent in parts. */
export const EVENTS_MAX = 500
/** Lots, parties and reports in one event. */
const LIST_MAX = 200
export const EVENT_ID_LENGTH_MAX = 200

// The rules of EPCIS-Event-JSON-Schema.json of GS1, release 2.0, and limits of our own.
const URI = '^[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+$'
const Uri = Type.String({ maxLength: 500, pattern: URI })
const Decimal = Type.Number()
const Moment = Type.String({ format: 'date-time', maxLength: 40 })
/** Fields of the standard, and those of anybody else, which have a colon in their name. */
const open = { additionalProperties: false, patternProperties: { '^[^:]+:.+$': {} } } as const
const list = <S extends TSchema>(item: S, minItems = 0) => Type.Array(item, { minItems, maxItems: LIST_MAX })
const optional = <P extends Record<string, TSchema>>(fields: P) =>
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Type.Optional(schema)]))
// Words of the CBV go without their namespace; what is written out must be somebody else's.
const wordOr = (words: readonly string[]) =>
  Type.Union([
    Type.Enum([...words]),
    Type.String({
      maxLength: 500,
      pattern: `^(?!urn:epcglobal:cbv|https?://ns\\.gs1\\.org/cbv/)${URI.slice(1)}`,
    }),
  ])

const BIZ_STEPS =
  'accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting installing killing loading other packing picking receiving removing repackaging repairing replacing reserving retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading unpacking void_shipping sensor_reporting sampling'
const DISPOSITIONS =
  'active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive no_pedigree_match non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unknown available completeness_verified completeness_inferred conformant container_open mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant unavailable'

const BizStep = wordOr(BIZ_STEPS.split(' '))
const Disposition = wordOr(DISPOSITIONS.split(' '))
const Action = Type.Enum(['OBSERVE', 'ADD', 'DELETE'])
const QuantityElement = Type.Object(
  {
    epcClass: Uri,
    quantity: Type.Optional(Decimal),
    uom: Type.Optional(Type.String({ pattern: '^[A-Z0-9]{2,3}$' })),
  },
  closed,
)
const Party = wordOr(['owning_party', 'possessing_party', 'location'])
const Place = Type.Object({ id: Uri })
const PersistentDisposition = Type.Union([
  Type.Object({ set: list(Disposition, 1), unset: Type.Optional(list(Disposition, 1)) }, closed),
  Type.Object({ unset: list(Disposition, 1) }, closed),
])

const INLINE = {
  time: Moment,
  deviceID: Uri,
  deviceMetadata: Uri,
  rawData: Uri,
  dataProcessingMethod: Uri,
  bizRules: Uri,
}
/** Said once: for all reports in the metadata, or in each report. The schema of GS1 cannot say so, its conformance test TCR-53 asks for it. */
export const SAID_ONCE = Object.keys(INLINE)
const MEASURED = ['value', 'minValue', 'maxValue', 'meanValue', 'sDev', 'percRank', 'percValue']
const SensorElement = Type.Object(
  {
    sensorMetadata: Type.Optional(
      Type.Object(optional({ ...INLINE, startTime: Moment, endTime: Moment }), open),
    ),
    sensorReport: list(
      Type.Object(
        {
          type: Type.Union([Type.String({ pattern: '^[A-Z][A-Za-z]{1,39}$' }), Uri]),
          ...optional({
            ...INLINE,
            exception: wordOr(['ALARM_CONDITION', 'ERROR_CONDITION']),
            microorganism: Uri,
            chemicalSubstance: Uri,
            coordinateReferenceSystem: Uri,
            component: Type.String({ maxLength: 500 }),
            stringValue: Type.String({ maxLength: 2000 }),
            booleanValue: Type.Boolean(),
            hexBinaryValue: Type.String({ pattern: '^[A-Fa-f0-9]+$', maxLength: 2000 }),
            uriValue: Uri,
            uom: Type.String({ maxLength: 20 }),
            ...Object.fromEntries(MEASURED.map((name) => [name, Decimal])),
          }),
        },
        open,
      ),
      1,
    ),
  },
  open,
)

const head = {
  eventTime: Moment,
  eventTimeZoneOffset: Type.String({ pattern: '^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$' }),
  ...optional({
    '@context': Type.Unknown(),
    recordTime: Moment,
    eventID: Type.String({ maxLength: EVENT_ID_LENGTH_MAX, pattern: URI }),
    certificationInfo: Type.Union([Uri, list(Uri)]),
    errorDeclaration: Type.Object(
      {
        declarationTime: Moment,
        ...optional({ reason: wordOr(['did_not_occur', 'incorrect_data']), correctiveEventIDs: list(Uri) }),
      },
      open,
    ),
    bizStep: BizStep,
    disposition: Disposition,
    readPoint: Place,
    bizLocation: Place,
    sourceList: list(Type.Object({ type: Party, source: Uri }, closed)),
    destinationList: list(Type.Object({ type: Party, destination: Uri }, closed)),
    sensorElementList: list(SensorElement),
  }),
}
const Transactions = list(
  Type.Object({ type: Type.Optional(Type.String({ maxLength: 500 })), bizTransaction: Uri }, closed),
)
const Epcs = list(Uri)
const Quantities = list(QuantityElement)
const Ilmd = Type.Object({}, open)

// The parts of an event of which it must have one; `DELETE` of a whole parent has none.
const anyOf = (...fields: readonly string[]) =>
  fields.map((name) => ({
    required: [name],
    // An empty epcList is allowed, and only that.
    ...(name === 'epcList' ? {} : { properties: { [name]: { minItems: 1 } } }),
  }))
const isDelete = { properties: { action: { const: 'DELETE' } } }

export const EVENT_SCHEMAS: Readonly<Record<string, TSchema>> = {
  ObjectEvent: Type.Object(
    {
      type: Type.Literal('ObjectEvent'),
      action: Action,
      ...head,
      ...optional({
        epcList: Epcs,
        quantityList: Quantities,
        persistentDisposition: PersistentDisposition,
        bizTransactionList: Transactions,
        ilmd: Ilmd,
      }),
    },
    {
      ...open,
      allOf: [
        { anyOf: [...anyOf('epcList', 'quantityList'), { required: ['sensorElementList', 'readPoint'] }] },
        { anyOf: [{ not: { required: ['ilmd'] } }, { properties: { action: { const: 'ADD' } } }] },
      ],
    },
  ),
  AggregationEvent: Type.Object(
    {
      type: Type.Literal('AggregationEvent'),
      action: Action,
      ...head,
      ...optional({
        parentID: Uri,
        childEPCs: Epcs,
        childQuantityList: Quantities,
        bizTransactionList: Transactions,
      }),
    },
    { ...open, anyOf: [...anyOf('childEPCs', 'childQuantityList'), isDelete] },
  ),
  AssociationEvent: Type.Object(
    {
      type: Type.Literal('AssociationEvent'),
      action: Action,
      parentID: Uri,
      ...head,
      ...optional({ childEPCs: Epcs, childQuantityList: Quantities, bizTransactionList: Transactions }),
    },
    { ...open, anyOf: [...anyOf('childEPCs', 'childQuantityList'), isDelete] },
  ),
  TransactionEvent: Type.Object(
    {
      type: Type.Literal('TransactionEvent'),
      action: Action,
      bizTransactionList: Transactions,
      ...head,
      ...optional({ parentID: Uri, epcList: Epcs, quantityList: Quantities }),
    },
    { ...open, anyOf: [...anyOf('epcList', 'quantityList'), isDelete] },
  ),
  TransformationEvent: Type.Object(
    {
      type: Type.Literal('TransformationEvent'),
      ...head,
      ...optional({
        inputEPCList: Epcs,
        inputQuantityList: Quantities,
        outputEPCList: Epcs,
        outputQuantityList: Quantities,
        transformationID: Uri,
        persistentDisposition: PersistentDisposition,
        bizTransactionList: Transactions,
        ilmd: Ilmd,
      }),
    },
    {
      ...open,
      allOf: [
        { anyOf: anyOf('inputEPCList', 'inputQuantityList', 'transformationID') },
        { anyOf: anyOf('outputEPCList', 'outputQuantityList', 'transformationID') },
      ],
    },
  ),
}

export const Document = Type.Object(
  {
    '@context': Type.Unknown(),
    type: Type.Literal('EPCISDocument'),
    schemaVersion: Type.String({ pattern: '^2\\.0(\\.\\d+)*$' }),
    creationDate: Time,
    ...optional({
      id: Uri,
      instanceIdentifier: Type.String({ maxLength: 200 }),
      sender: Type.String({ maxLength: 200 }),
      receiver: Type.String({ maxLength: 200 }),
      epcisHeader: Type.Unknown(),
    }),
    epcisBody: Type.Object(
      { eventList: Type.Array(Type.Unknown(), { minItems: 1, maxItems: EVENTS_MAX }) },
      closed,
    ),
  },
  { ...closed, title: 'EPCISDocument' },
)

export const QueryDocument = Type.Object(
  {
    '@context': Type.Array(Type.Unknown()),
    type: Type.Literal('EPCISQueryDocument'),
    schemaVersion: Type.String(),
    creationDate: Time,
    epcisBody: Type.Object({
      queryResults: Type.Object({
        queryName: Type.String(),
        resultsBody: Type.Object({ eventList: Type.Array(Type.Unknown()) }),
      }),
    }),
  },
  { title: 'EPCISQueryDocument' },
)

const Words = Type.String({
  minLength: 1,
  maxLength: 2000,
  description: 'One, or several with | between them.',
})
const Flag = Type.Enum(['true', 'false'])
const CELSIUS = COMPARISONS.flatMap((comparison) =>
  SENSOR_FIELDS.map((field) => [`${comparison}_${field}_CEL`, Type.Optional(Type.Number())] as const),
)

export const Query = Type.Object(
  {
    ...optional({
      GE_eventTime: Time,
      LT_eventTime: Time,
      GE_recordTime: Time,
      LT_recordTime: Time,
      eventType: Words,
      EQ_bizStep: Words,
      EQ_action: Words,
      EQ_disposition: Words,
      EQ_bizLocation: Words,
      EQ_readPoint: Words,
      EQ_eventID: Words,
      MATCH_epcClass: Words,
      EXISTS_sensorElement: Flag,
      EXISTS_errorDeclaration: Flag,
      perPage: Type.Integer({ minimum: 1, maximum: 200, default: 30 }),
      nextPageToken: Type.String({ minLength: 1, maxLength: 200 }),
    }),
    ...Object.fromEntries(CELSIUS),
  },
  closed,
)
