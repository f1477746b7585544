import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { DETAILS } from '../../domain/details.ts'
import { openWorld } from './world.ts'

const root = join(import.meta.dirname, '../..')

/** Every fixed sentence that an error is given in these folders. */
function sentencesIn(folders: readonly string[]): Set<string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  )
  const found = files.flatMap((text) => [
    ...text.matchAll(/CodedError\(\s*'[\w.]+',\s*'([^']+)'/g),
    ...text.matchAll(/FieldError\(\s*[^,]+,\s*'([^']+)'/g),
  ])
  return new Set(found.map(([, sentence = '']) => sentence))
}

test('fixed sentences of errors are in the language of whoever asks', async (t) => {
  const sentences = sentencesIn(['api', 'db'])
  t.ok(sentences.size > 30)
  t.same(
    [...sentences].filter((sentence) => !(sentence in DETAILS)),
    [],
    'each has its translations',
  )
  const known = new Set([...sentences, ...['body', 'querystring', 'params'].map(schemaSentence)])
  t.same(
    Object.keys(DETAILS).filter((sentence) => !known.has(sentence)),
    [],
    'none is left over',
  )
  const world = await openWorld(t)
  const body = { name: 'X', level: 'country', timeZone: 'Nowhere/Else' }
  for (const [language, detail] of [
    ['id', 'bukan zona waktu IANA'],
    ['fr', 'n’est pas un fuseau horaire IANA'],
    ['en', 'is not an IANA time zone'],
  ] as const) {
    const headers = { 'accept-language': language }
    const answer = await world.ask('POST', '/v1/facilities', { token: world.admin, body, headers })
    const errors = [{ path: '/body/timeZone', message: detail }]
    t.match(answer, {
      status: 400,
      body: { code: 'request.invalid', detail: `timeZone: ${detail}.`, errors },
    })
  }
})

function schemaSentence(part: string): string {
  return `The ${part} does not match its schema.`
}
