import { Type, type TSchema } from 'typebox'
import { ERRORS, type ErrorCode } from '../domain/errors.ts'
import { PERMISSIONS, type OperationId } from '../domain/permissions.ts'

export const closed = { additionalProperties: false } as const

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

/** UUID as this system makes them; anything else cannot exist, and is refused before it reaches a query. */
export const Id = Type.String({
  pattern: UUID,
  description: 'UUIDv7.',
})
const ID = new RegExp(UUID)
export const isId = (text: string): boolean => ID.test(text)

export const IdParams = Type.Object({ id: Id }, closed)

/** Not blank, no control characters, fits its column. */
export const Name = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$',
})

/** What people write on forms: letters, digits and a few marks. */
export const Code = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'A short code.',
})

export const Version = Type.Integer({ description: 'Counts the changes; its `ETag`.' })

export const Search = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: 'Part of a name or code.' }),
)

export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })

export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'At most this many items.' }),
)
export const Cursor = Type.Optional(
  Type.String({ minLength: 1, maxLength: 200, description: '`nextCursor` of the page before.' }),
)
export const paging = { limit: Limit, cursor: Cursor }
export const LIMIT_DEFAULT = 50

export const page = <S extends TSchema>(item: S) =>
  Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String(), Type.Null()], {
      description: 'Give it as `cursor` to get what follows; null at the end.',
    }),
  })

export const Empty = Type.Null({ description: 'Done; there is nothing to say.' })

interface Operation {
  readonly operationId: OperationId
  readonly summary: string
  readonly tags: readonly string[]
  readonly description?: string
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly body?: TSchema
  readonly response: Readonly<Record<number, TSchema | ContentSchema>>
}

interface ContentSchema {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>
}

/**
 * The schema of a route: what it says itself, and what every route has in common (the problems it can answer with,
 * the token it wants). `codes` are the errors beyond the usual ones.
 */
export function operation<const S extends Operation>(schema: S, codes: readonly ErrorCode[] = []): S {
  const isPublic = PERMISSIONS[schema.operationId] === 'public'
  const usual: ErrorCode[] = ['request.invalid', 'internal.unexpected', 'service.unavailable']
  if (!isPublic) usual.push('auth.required', 'auth.forbidden')
  if (schema.params) usual.push('resource.notFound')
  if (schema.body) usual.push('request.tooLarge', 'request.unsupportedMediaType')
  return {
    ...schema,
    ...(isPublic ? {} : { security: [{ person: [] }] }),
    response: { ...problems([...usual, ...codes]), ...schema.response },
  }
}

// Declared once for the whole server, by the composition root.
const Problem = Type.Unsafe({ $ref: 'Problem#' })

/** Every POST takes an `Idempotency-Key`: what that can answer, unless the route names errors of this status itself. */
export function nameKeyProblems(route: { readonly method: unknown; readonly schema?: object }): void {
  const { response } = (route.schema ?? {}) as { response?: Record<number, unknown> }
  if (route.method !== 'POST' || !response) return
  for (const [status, problem] of Object.entries(KEY_PROBLEMS)) response[Number(status)] ??= problem
}

function problems(codes: readonly ErrorCode[]): Record<number, ContentSchema> {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code][0])
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\`: ${ERRORS[code][1]}`).join(' '),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  )
}

const KEY_PROBLEMS = problems(['request.idempotencyMismatch', 'request.idempotencyBusy'])
