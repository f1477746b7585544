import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { startColdstream } from '../services/coldstream.ts'
import { hasMosquitto } from '../services/mosquitto.ts'
import { skipWithout } from '../services/required.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/tutorial.md'), 'utf8')
const hasTools = hasMosquitto && ['/usr/bin/curl', '/usr/bin/jq'].every((tool) => existsSync(tool))

test(
  'the tutorial works as it stands',
  { skip: skipWithout('mosquitto_pub, curl or jq', hasTools) },
  async (t) => {
    const program = await startColdstream(t.testdir())
    t.teardown(() => program.end('SIGKILL'))
    const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '')
    const script = blocks
      .join('\n')
      .replaceAll('localhost:8080', `localhost:${program.httpPort}`)
      .replaceAll('-p 1883', `-p ${program.mqttPort}`)
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const output: string[] = []
    shell.stdout.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk))
    const deadline = setTimeout(() => shell.kill('SIGKILL'), 60_000)
    const [code] = (await once(shell, 'exit')) as [number | null]
    clearTimeout(deadline)
    t.equal(code, 0)
    t.match(output.join(''), /"peak": 9\.5/)
    t.match(output.join(''), /reading\.sensorFault/)
  },
)
