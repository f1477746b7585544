import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import pkg from '../package.json' with { type: 'json' }
import { readConfig, SETTINGS } from '../main/config.ts'
import { skipWithout } from './services/required.ts'

const root = join(import.meta.dirname, '..')
const text = (name: string) => readFileSync(join(root, name), 'utf8')
const compose = text('compose.yaml')
const dockerfile = text('Dockerfile')
const PARTS = ['broker', 'ingest', 'notifier', 'api']
const SECRET = 'x'.repeat(32)

// Whatever must be set; without these the file is refused.
const required = [...new Set([...compose.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name))]
const given = Object.fromEntries(required.map((name) => [name, SECRET]))
const skip = skipWithout('docker-compose', existsSync('/usr/bin/docker-compose'))

async function config(env: Record<string, string>, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker-compose', ['-f', 'compose.yaml', 'config', ...args], {
    cwd: root,
    // Nothing of this machine, so that a forgotten default shows.
    env: { PATH: process.env.PATH, ...env },
  })
  return stdout
}

/** The lines under a key, without their indentation; in what `config` writes a level is two spaces. */
function under(yaml: string, key: string): string {
  const lines = yaml.split('\n')
  const from = lines.indexOf(`${key}:`) + 1
  if (from === 0) return ''
  const length = lines.slice(from).findIndex((line) => !line.startsWith('  '))
  const block = lines.slice(from, length < 0 ? undefined : from + length)
  return block.map((line) => line.slice(2)).join('\n')
}

function environmentOf(yaml: string, service: string): Record<string, string> {
  const block = under(under(under(yaml, 'services'), service), 'environment')
  const pairs = [...block.matchAll(/^(\w+): (.*)$/gm)]
  return Object.fromEntries(
    pairs.map(([, key = '', value = '']) => [key, value.replace(/^(['"])(.*)\1$/, '$2')]),
  )
}

test('compose.yaml is short and has no default passwords', (t) => {
  t.ok(compose.split('\n').length <= 200)
  const secrets = compose.split('\n').filter((line) => /(PASSWORD|PASS|TOKEN|SECRET): /.test(line))
  t.ok(secrets.length > 5)
  for (const line of secrets) t.match(line, /\$\{COLDSTREAM_\w+:\?|RANDOM_ROOT_PASSWORD/)
  const variables = [...compose.matchAll(/[^$]\$\{(\w+)/g)].map(([, name = '']) => name)
  t.same(
    variables.filter((name) => !name.startsWith('COLDSTREAM_')),
    [],
  )
  for (const [, image = ''] of compose.matchAll(/image: (.*)/g))
    t.match(image, /^[\w/-]+:(v?\d|\$\{COLDSTREAM)/)
  t.end()
})

test('compose.yaml is valid, and only with the secrets set', { skip }, async (t) => {
  await config(given, '-q')
  t.equal(required.length, 8)
  await t.rejects(config({}, '-q'), /set it in .env/)
})

test('each part runs from one image, with settings that exist and suffice', { skip }, async (t) => {
  const yaml = await config(given)
  for (const part of PARTS) {
    const env = environmentOf(yaml, part)
    t.same(
      Object.keys(env).filter((name) => !(name in SETTINGS)),
      [],
      part,
    )
    t.equal(env.PARTS, part)
    t.equal(readConfig(env).PARTS, part, 'the program takes them')
    const service = under(under(yaml, 'services'), part)
    t.match(service, 'read_only: true')
    t.notMatch(service, /^(command|entrypoint|user|privileged):/m)
  }
})

test('whatever runs has a health check or needs none', { skip }, async (t) => {
  const services = under(await config(given), 'services')
  const names = [...services.matchAll(/^([\w-]+):$/gm)].map(([, name = '']) => name)
  t.same(
    names.filter((name) => !PARTS.includes(name) && !under(services, name).includes('healthcheck:')),
    [],
  )
})

test('the image starts what npm run start:part starts, as a user without rights', (t) => {
  const command = pkg.scripts['start:part'].split(' ')
  t.same(JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? ''), command)
  t.match(dockerfile, /^USER node$/m)
  t.match(dockerfile, /npm ci --omit=dev/)
  t.end()
})

test('the image holds every folder that the program imports from', (t) => {
  const folders = ['domain', 'ports', 'db', 'adapters', ...PARTS, 'simulators', 'main']
  const ignored = text('.dockerignore')
  for (const folder of folders) {
    t.match(dockerfile, `COPY ${folder} ${folder}\n`)
    t.match(ignored, `!${folder}\n`)
  }
  t.end()
})
