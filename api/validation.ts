import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import type { TSchema } from 'typebox'
import type { ErrorCode } from '../domain/errors.ts'
import type { Language } from '../domain/language.ts'
import { FIELD_MESSAGES } from './language.ts'

/** Enough to mend a form; a body with ten thousand mistakes does not get ten thousand lines back. */
const REPORTED_ERRORS_MAX = 20

export interface Mistake {
  readonly path: string
  readonly message: string
  readonly code?: ErrorCode
}

type Check = (value: unknown) => { value: unknown } | { error: FastifySchemaValidationError[] }

/**
 * Compiles as TypeBox does, but holds a body of several kinds against the one that its `kind` names: what is wrong is then said of that
 * kind, not of a dozen others that nobody meant.
 */
export const compileByKind: FastifySchemaCompiler<TSchema> = (route) => {
  const compile = (schema: TSchema) => TypeBoxValidatorCompiler({ ...route, schema }) as Check
  const kinds = kindsOf(route.schema)
  if (kinds === undefined) return compile(route.schema)
  const checks = new Map([...kinds].map(([kind, schema]) => [kind, compile(schema)]))
  return (value: unknown) => {
    const check = checks.get((value as { readonly kind?: unknown } | null)?.kind)
    return check ? check(value) : { error: [noSuchKind([...checks.keys()])] }
  }
}

// Undefined unless every alternative is an object with a constant `kind`.
function kindsOf(schema: TSchema): ReadonlyMap<unknown, TSchema> | undefined {
  const { anyOf } = schema as { readonly anyOf?: readonly TSchema[] }
  const kinds = anyOf?.map((one) => {
    const { properties } = one as { readonly properties?: { readonly kind?: { readonly const?: unknown } } }
    return [properties?.kind?.const, one] as const
  })
  return kinds?.every(([kind]) => kind !== undefined) ? new Map(kinds) : undefined
}

function noSuchKind(kinds: readonly unknown[]): FastifySchemaValidationError {
  const message = `must be one of ${kinds.join(', ')}`
  return {
    keyword: 'enum',
    instancePath: '/kind',
    schemaPath: '#',
    params: { allowedValues: kinds },
    message,
  }
}

/** What a validator found, as people can use it: each field by its own path. */
export function fieldErrors(
  found: readonly FastifySchemaValidationError[],
  part: string,
  language: Language,
): Mistake[] {
  return found
    .flatMap((error) => describe(error, language))
    .map(({ path, message }) => ({ path: `/${part}${path}`, message }))
    .slice(0, REPORTED_ERRORS_MAX)
}

function describe(error: FastifySchemaValidationError, language: Language): Mistake[] {
  const { instancePath: path, keyword, params } = error
  if (keyword === 'required')
    return list(params['requiredProperties']).map((name) => ({
      path: `${path}/${name}`,
      message: FIELD_MESSAGES.required[language],
    }))
  // Said of the object; each of its properties is named by an error of its own, that its schema is `false`.
  if (keyword === 'additionalProperties') return []
  const key = messageOf(keyword, params['type'])
  if (key === undefined) return [{ path, message: error.message ?? FIELD_MESSAGES.form[language] }]
  const limit = params['limit'] ?? list(params['allowedValues']).join(', ')
  return [{ path, message: FIELD_MESSAGES[key][language].replace('{limit}', String(limit)) }]
}

// The others are few, and what TypeBox says of them will do.
function messageOf(keyword: string, type: unknown): keyof typeof FIELD_MESSAGES | undefined {
  switch (keyword) {
    case 'boolean':
      return 'unknown'
    case 'minimum':
    case 'maximum':
    case 'enum':
      return keyword
    case 'pattern':
    case 'format':
      return 'form'
    case 'type':
      return type === 'integer' ? 'integer' : undefined
  }
  return undefined
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
