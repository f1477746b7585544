import type { FastifyInstance } from 'fastify'
import { Compile, type Validator } from 'typebox/schema'

type Node = { readonly [key: string]: Node }

/** Answers to what the document does not speak of: no route, or a request that no route gets to see. */
const UNROUTED: ReadonlySet<number> = new Set([404, 413, 415])

/**
 * Holds answers against the OpenAPI document: their status is one that it names for the operation, and their body is what it says.
 * @returns what throws when one does not
 */
export function conformance(app: FastifyInstance) {
  let operations: readonly Operation[] | undefined
  return (method: string, url: string, answer: Answered): void => {
    operations ??= operationsOf(app.swagger() as unknown as Node)
    const path = url.split('?', 1)[0] ?? ''
    const operation = operations.find((one) => one.method === method && one.pattern.test(path))
    if (operation) check(operation, answer)
    else if (path.startsWith('/v1/') && !UNROUTED.has(answer.status) && answer.status < 500)
      throw new Error(`${method} ${path} answers ${answer.status}, and is not in the document`)
  }
}

interface Answered {
  readonly status: number
  readonly contentType: string
  /** Undefined when it is no JSON. */
  readonly body: unknown
}

interface Operation {
  readonly name: string
  readonly method: string
  readonly pattern: RegExp
  readonly responses: Responses
}

/** What checks the body, by status and content type: made when it is first asked for, since most never is. */
type Responses = ReadonlyMap<number, ReadonlyMap<string, () => Validator>>

function operationsOf(document: Node): Operation[] {
  const operations = Object.entries(document['paths'] ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
      responses: responsesOf(document, operation['responses'] ?? {}),
    })),
  )
  // What is named in so many words comes before what a parameter stands for.
  return operations.toSorted((a, b) => a.name.split('{').length - b.name.split('{').length)
}

function responsesOf(document: Node, responses: Node): Responses {
  return new Map(
    Object.entries(responses).map(([status, { content = {} }]) => {
      const types = Object.entries(content).map(
        ([type, { schema = {} }]) =>
          [type, onFirstUse(() => Compile(resolved(document, schema) as object))] as const,
      )
      return [Number(status), new Map(types)]
    }),
  )
}

function onFirstUse<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** The same schema without references. */
function resolved(document: Node, node: unknown): unknown {
  if (Array.isArray(node)) return node.map((one) => resolved(document, one))
  if (typeof node !== 'object' || node === null) return node
  const { $ref } = node as { readonly $ref?: unknown }
  if (typeof $ref === 'string') return resolved(document, target(document, $ref))
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolved(document, value)]))
}

function target(document: Node, $ref: string): unknown {
  const [, ...keys] = $ref.split('/')
  return keys.reduce<Node | undefined>((node, key) => node?.[key], document)
}

function check({ name, responses }: Operation, { status, contentType, body }: Answered): void {
  // Of another answer the client had this one already.
  if (status === 304) return
  const types = responses.get(status)
  if (!types) throw new Error(`${name} answers ${status}, which the document does not name`)
  const type = contentType.split(';', 1)[0] ?? ''
  const validator = types.get(type)?.()
  if (types.size === 0 && body === undefined) return
  if (!validator) throw new Error(`${name} ${status} answers ${type}, which the document does not name`)
  if (body === undefined || validator.Check(body)) return
  const [, errors] = validator.Errors(body)
  throw new Error(`${name} ${status}: ${JSON.stringify(errors.slice(0, 3))} in ${JSON.stringify(body)}`)
}
