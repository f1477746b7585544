import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { SCENARIOS } from '../../simulators/scenarios/all.ts'
import { ADMIN_PASSWORD } from '../services/coldstream.ts'
import { hasDistributed, startDistributed, startEmbedded, type Deployment } from '../services/deployment.ts'
import { skipWithout } from '../services/required.ts'

const CLI = join(import.meta.dirname, '../../simulators/cli.ts')

/** Plays a scenario over MQTT as a person would, from the command line; 0 when the API shows exactly the expected breaches. */
async function play({ http, mqttPort }: Deployment, name: string): Promise<string> {
  const addresses = ['--http', http, '--mqtt', `mqtt://127.0.0.1:${mqttPort}`]
  const child = spawn(process.execPath, [CLI, 'scenario', name, ...addresses, '--password', ADMIN_PASSWORD], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk))
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0 ? 'as expected' : `exit code ${code}\n${output.join('')}`
}

async function playAll(t: Test, deployment: Deployment): Promise<void> {
  t.teardown(() => deployment.stop())
  // The first makes the facilities that the others find.
  const [first, ...others] = SCENARIOS.map(({ name }) => name)
  if (first) t.equal(await play(deployment, first), 'as expected', first)
  await Promise.all(others.map(async (name) => t.equal(await play(deployment, name), 'as expected', name)))
}

// History is recorded and nobody is told, so that the log stays short.
const QUIET = { NOTIFY_AGE_MS_MAX: '1' }

test('every scenario, embedded', async (t) => playAll(t, await startEmbedded(QUIET)))

test(
  'every scenario, distributed',
  { skip: skipWithout('MariaDB, RabbitMQ, Redis or VictoriaMetrics', hasDistributed) },
  async (t) => playAll(t, await startDistributed(QUIET)),
)
