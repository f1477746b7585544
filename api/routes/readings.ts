import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { findDeviceInScope } from '../../db/queries/device.ts'
import { CodedError } from '../../domain/errors.ts'
import { MAIN_SENSOR, QUANTITY_NAMES, type Quantity, type Reading } from '../../domain/reading.ts'
import { found } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { ReadingOut, readingView } from '../device-view.ts'
import { closed, Cursor, IdParams, operation, page, Time } from '../schemas.ts'
import { parseDuration, parseTime, toRfc3339 } from '../time.ts'

const DAY_MS = 86_400_000
const AHEAD_MS = 600_000
/** Buckets or readings in one answer. */
const POINTS_MAX = 5000
const READINGS_DEFAULT = 1000
const EVERY_MS_MIN = 1000

const BucketOut = Type.Object(
  {
    start: Time,
    count: Type.Integer({ description: 'Readings in [start, start + every).' }),
    min: Type.Number(),
    max: Type.Number(),
    mean: Type.Number(),
    last: Type.Number(),
  },
  { title: 'Bucket' },
)
const timeText = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }))

const list = operation({
  operationId: 'listReadings',
  summary: 'Readings of a device: raw, or summed up over buckets of time',
  description:
    'Without `every`: raw readings, oldest first, in pages. With `every`: minimum, maximum, mean, last value and count of one quantity per bucket, aligned to UTC; empty buckets are left out; at most 5000 buckets.',
  tags: ['devices'],
  params: IdParams,
  querystring: Type.Object(
    {
      from: timeText('RFC 3339, inclusive. Default: 24 hours before `to`.'),
      to: timeText('RFC 3339, exclusive. Default: now.'),
      every: Type.Optional(Type.String({ maxLength: 40, description: '`10m`, `1h`, `1d` or `PT10M`.' })),
      quantity: Type.Optional(
        Type.Enum([...QUANTITY_NAMES], {
          description: 'With `every` default `temperature`; without, only readings that have it.',
        }),
      ),
      sensor: Type.Optional(Type.String({ minLength: 1, maxLength: 64, default: MAIN_SENSOR })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: POINTS_MAX, default: READINGS_DEFAULT })),
      cursor: Cursor,
    },
    closed,
  ),
  response: { 200: Type.Union([page(ReadingOut), page(BucketOut)]) },
})

interface Span {
  readonly deviceId: string
  readonly sensor: string
  readonly from: number
  readonly to: number
}

export const readingRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/devices/:id/readings', { schema: list }, async ({ params, query, caller }) => {
    const { from, to, every, quantity, sensor = MAIN_SENSOR, limit = READINGS_DEFAULT, cursor } = query
    const { id } = found(await findDeviceInScope(deps.db, params.id, caller.scope))
    const span = { deviceId: id, sensor, ...spanOf(deps.clock.now(), from, to) }
    if (every !== undefined)
      return buckets(deps, span, quantity ?? 'temperature', parseDuration(every, 'every'))
    return raw(deps, { ...span, from: Math.max(span.from, afterCursor(cursor)) }, quantity, limit)
  })
}

function spanOf(now: number, fromText: string | undefined, toText: string | undefined) {
  // Exclusive, and a device with a fast clock may be a little ahead of us: what it said just now belongs to "until now".
  const to = toText === undefined ? now + AHEAD_MS : parseTime(toText, 'to')
  const from = fromText === undefined ? Math.min(to, now) - DAY_MS : parseTime(fromText, 'from')
  if (from >= to) throw new CodedError('request.invalid', 'from is not before to.')
  return { from, to }
}

async function buckets({ series }: RouteDeps, span: Span, quantity: Quantity, everyMs: number) {
  if (everyMs < EVERY_MS_MIN) throw new CodedError('request.invalid', 'every is shorter than a second.')
  if ((span.to - span.from) / everyMs > POINTS_MAX)
    throw new CodedError(
      'request.invalid',
      `from, to and every make more than ${POINTS_MAX} buckets: choose a longer every or a shorter time.`,
    )
  const rows = await series.aggregate({ ...span, quantity, everyMs })
  return {
    items: rows.map(({ start, count, min, max, mean, last }) => ({
      start: toRfc3339(start),
      count,
      min,
      max,
      mean,
      last,
    })),
    nextCursor: null,
  }
}

async function raw({ series }: RouteDeps, span: Span, quantity: Quantity | undefined, limit: number) {
  if (span.from >= span.to) return { items: [], nextCursor: null }
  const rows = await series.read({ ...span, limit: limit + 1, order: 'ascending' })
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.flatMap((reading) => only(reading, quantity)).map((reading) => readingView(reading)),
    nextCursor: rows.length > limit && last ? encodeCursor(String(last.time)) : null,
  }
}

function only(reading: Reading, quantity: Quantity | undefined): Reading[] {
  if (quantity === undefined) return [reading]
  const value = reading.values[quantity]
  return value === undefined ? [] : [{ ...reading, values: { [quantity]: value } }]
}

function afterCursor(cursor: string | undefined): number {
  const time = decodeCursor(cursor)
  if (time === undefined) return Number.NEGATIVE_INFINITY
  if (!/^-?\d{1,15}$/.test(time))
    throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return Number(time) + 1
}
