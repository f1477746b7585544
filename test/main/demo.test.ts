import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { test } from 'tap'
import { waitFor } from '../wait-for.ts'

interface Demo {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly output: () => string
  readonly ended: Promise<number | null>
}

function startDemo(...args: string[]): Demo {
  const env = { ...process.env, HTTP_PORT: '0', MQTT_PORT: '0', MQTT_WS_PORT: '0', LOG_LEVEL: 'warn' }
  const child = spawn(process.execPath, ['main/demo.ts', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return { child, output: () => output, ended: once(child, 'exit').then(([code]) => Number(code)) }
}

/** Runs a command of the welcome as a person would: pasted into a shell. */
function paste(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

test('the demo shows a breach and its notification, and ends when both are in the API', async (t) => {
  const demo = startDemo('--exit-after-breach', '--catch-up', '5')
  t.teardown(() => demo.child.kill('SIGKILL'))
  t.equal(await demo.ended, 0, demo.output())
  t.match(demo.output(), /Too warm: Refrigerator K1, Puskesmas Kenanga/)
  t.match(demo.output(), /The breach and its notification are in the API\./)
})

test('the commands that the demo prints work as pasted, and a signal stops it cleanly', async (t) => {
  const demo = startDemo('--catch-up', '3600')
  t.teardown(() => demo.child.kill('SIGKILL'))
  await waitFor(() => demo.output().includes('Ctrl-C stops everything'), 'the welcome', 20_000)
  const commandWith = (word: string) => demo.output().match(new RegExp(`^ +${word} .*$`, 'm'))?.[0] ?? 'false'
  const tools = await paste('command -v curl mosquitto_pub')
  if (tools.code === 0 || process.env.REQUIRE_SERVICES) {
    const listed = await paste(commandWith('curl'))
    t.same(JSON.parse(listed.stdout || 'null'), { items: [], nextCursor: null }, listed.stderr)
    const sent = await paste(commandWith('mosquitto_pub'))
    t.same(sent, { code: 0, stdout: '', stderr: '' })
  } else t.ok(true, 'curl or mosquitto_pub is not installed: commands left out')
  demo.child.kill('SIGINT')
  t.equal(await demo.ended, 0, demo.output())
})

test('wrong options are told, with exit code 2', async (t) => {
  const demo = startDemo('--catch-up', 'soon')
  t.equal(await demo.ended, 2)
  t.match(demo.output(), /--catch-up takes 1 to 3600 seconds/)
})
