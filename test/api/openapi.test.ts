import { test } from 'tap'
import { ERRORS } from '../../domain/errors.ts'
import { openWorld, type Json } from './world.ts'

const entries = (of: Json | undefined) => Object.entries(of ?? {})

/** Everything in the document that looks like a schema. */
function* schemasIn(node: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof node !== 'object' || node === null) return
  if ('type' in node && !('in' in node)) yield node as Readonly<Record<string, unknown>>
  for (const value of Object.values(node)) yield* schemasIn(value)
}

interface Operation {
  readonly path: string
  readonly method: string
  readonly operation: Json
}

function operationsOf(document: Json): Operation[] {
  return entries(document['paths'])
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )
}

const nameOf = ({ method, path }: Operation) => `${method} ${path}`
const codesOf = ({ operation }: Operation) => entries(operation['responses']).map(([code]) => Number(code))

test('the OpenAPI document is complete', async (suite) => {
  const world = await openWorld(suite)
  const { status, body: document } = await world.get('/docs/json')
  const operations = operationsOf(document)
  suite.equal(status, 200)
  suite.match(document['openapi'], /^3\.1\./)
  suite.match(document['info'], { title: 'Coldstream', version: /\d/ })
  suite.ok(operations.length > 30)

  await suite.test('every operation has a name, a summary and a tag', async (t) => {
    for (const of of operations)
      t.match(
        of.operation,
        { operationId: /^[a-z][A-Za-z]+$/, summary: /^[A-Z].{5,}/, tags: [/^[a-z]+$/] },
        nameOf(of),
      )
    const ids = operations.map(({ operation }) => String(operation['operationId']))
    t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
  })

  await suite.test('every operation says how it can end', async (t) => {
    for (const of of operations) {
      const codes = codesOf(of)
      t.ok(codes.some((code) => code < 300) && codes.includes(400) && codes.includes(500), nameOf(of))
      for (const [code, response] of entries(of.operation['responses'])) {
        t.ok(response['description'], `${nameOf(of)} ${code} is described`)
        const types = entries(response['content']).map(([type]) => type)
        if (Number(code) >= 400) t.same(types, ['application/problem+json'], `${nameOf(of)} ${code}`)
        // One, or what is asked for as a table too.
        else if (code !== '204')
          t.ok(
            types.length === 1 ||
              /^application\/json,(application\/x-ndjson,)?(text\/csv|application\/ld\+json)$/.test(
                types.join(),
              ),
            `${nameOf(of)} ${code}: ${types}`,
          )
      }
    }
  })

  await suite.test('every operation but the public ones wants a token', async (t) => {
    for (const of of operations.filter(({ path }) => !path.startsWith('/v1/auth/'))) {
      t.same(of.operation['security'], [{ person: [] }], nameOf(of))
      t.ok(codesOf(of).includes(401) && codesOf(of).includes(403), nameOf(of))
    }
  })

  await suite.test('parameters in paths are described, and what is not there is 404', async (t) => {
    for (const of of operations.filter(({ path }) => path.includes('{'))) {
      const parameters = of.operation['parameters'] as unknown as Json[]
      const inPath = parameters.filter((parameter) => String(parameter['in']) === 'path')
      t.same(
        inPath.map((parameter) => `{${String(parameter['name'])}}`),
        of.path.match(/\{\w+\}/g),
        nameOf(of),
      )
      t.ok(codesOf(of).includes(404), nameOf(of))
    }
  })

  await suite.test('bodies take nothing unknown', async (t) => {
    for (const of of operations) {
      const schema = of.operation['requestBody']?.['content']?.['application/json']?.['schema']
      // A body of several kinds is closed in each of them.
      const kinds = (schema?.['anyOf'] ?? [schema]) as readonly (Json | undefined)[]
      for (const kind of kinds) if (kind) t.match(kind, { additionalProperties: false }, nameOf(of))
    }
  })

  await suite.test('schemas are those of JSON Schema 2020-12', async (t) => {
    const kinds = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
    for (const { type } of schemasIn(document['paths'])) t.ok(typeof type !== 'string' || kinds.has(type))
    t.notMatch(JSON.stringify(document), /nullable/, 'that was 3.0')
    t.ok((await world.get('/docs/')).status < 400)
  })
})

test('every code that is described exists', async (t) => {
  const world = await openWorld(t)
  const text = JSON.stringify((await world.get('/docs/json')).body)
  const codes = new Set([...text.matchAll(/`([a-z]+\.[a-zA-Z]+)`:/g)].map((match) => match[1] ?? ''))
  t.ok(codes.size > 10)
  for (const code of codes) t.ok(code in ERRORS, code)
})
