import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'tap'

const root = resolve(import.meta.dirname, '../..')
const pages = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.md') && !/(^|\/)(node_modules|\.tap|data|out)\//.test(name),
)

test('every link to a file in the project resolves', async (t) => {
  for (const page of pages) {
    const source = readFileSync(join(root, page), 'utf8')
    const links = [...source.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
    const dead = links
      .filter((link) => !/^[a-z]+:/.test(link) && !link.startsWith('#'))
      .filter((link) => !existsSync(resolve(root, dirname(page), link.split('#')[0] ?? '')))
    t.same(dead, [], page)
  }
})

test('every npm script that a page names exists', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  for (const page of pages) {
    const named = [...readFileSync(join(root, page), 'utf8').matchAll(/npm run ([a-z:-]+)/g)].map(
      (match) => match[1] ?? '',
    )
    t.same(
      named.filter((name) => !(name in scripts)),
      [],
      page,
    )
  }
})

test('the README of a part has at most 40 lines', async (t) => {
  for (const part of ['broker', 'ingest', 'notifier', 'api', 'simulators']) {
    const lines = readFileSync(join(root, part, 'README.md'), 'utf8')
      .trimEnd()
      .split('\n').length
    t.ok(lines <= 40, `${part}/README.md has ${lines}`)
  }
})
