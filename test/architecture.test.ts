import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'tap'

const root = resolve(import.meta.dirname, '..')

// Which folder may import which; the table of docs/architecture.md. `*` is everything, packages are named where a folder may have none.
const allowed: Record<string, readonly string[]> = {
  domain: [],
  ports: ['domain'],
  db: ['domain'],
  adapters: ['domain', 'ports'],
  broker: ['domain', 'ports', 'db'],
  ingest: ['domain', 'ports', 'db'],
  notifier: ['domain', 'ports', 'db'],
  api: ['domain', 'ports', 'db'],
  simulators: ['domain'],
  web: ['domain'],
  grafana: ['domain', 'ports', 'db', 'adapters'],
}

interface Import {
  readonly file: string
  readonly folder: string
  readonly target: string
}

function importsOf(folder: string): Import[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('dist/'))
    .flatMap((name) => {
      const file = join(folder, name)
      const source = readFileSync(join(root, file), 'utf8')
      return [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => ({
        file,
        folder,
        target: match[1] ?? '',
      }))
    })
}

function folderOf({ file, target }: Import): string {
  return relative(root, resolve(root, dirname(file), target)).split('/')[0] ?? ''
}

test('the import table holds', async (t) => {
  for (const folder of Object.keys(allowed)) {
    const wrong = importsOf(folder)
      .filter((found) => found.target.startsWith('.'))
      .filter((found) => ![folder, ...(allowed[folder] ?? [])].includes(folderOf(found)))
    t.same(
      wrong.map(({ file, target }) => `${file} imports ${target}`),
      [],
      folder,
    )
  }
})

test('domain imports no package, no clock, no I/O', async (t) => {
  const found = importsOf('domain').filter(({ target }) => !target.startsWith('.'))
  t.same(found, [])
  for (const name of readdirSync(join(root, 'domain'))) {
    const source = readFileSync(join(root, 'domain', name), 'utf8')
    t.notMatch(source, /Date\.now|Math\.random|new Date\(\)|process\.|setTimeout/, name)
  }
})

test('every folder with code is in the table', async (t) => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .filter((entry) => !['node_modules', 'data', 'docs', 'test', 'bench', 'main'].includes(entry.name))
    .map((entry) => entry.name)
  t.same(
    folders.filter((name) => !(name in allowed)),
    [],
  )
})
