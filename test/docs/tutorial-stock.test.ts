import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { startColdstream } from '../services/coldstream.ts'
import { skipWithout } from '../services/required.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/tutorial-stock.md'), 'utf8')
const hasTools = ['/usr/bin/curl', '/usr/bin/jq'].every((tool) => existsSync(tool))

test('the whole life of one shipment', { skip: skipWithout('curl or jq', hasTools) }, async (t) => {
  const program = await startColdstream(t.testdir())
  t.teardown(() => program.end('SIGKILL'))
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '')
  const script = blocks.join('\n').replaceAll('localhost:8080', `localhost:${program.httpPort}`)
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: string[] = []
  shell.stdout.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk))
  const deadline = setTimeout(() => shell.kill('SIGKILL'), 120_000)
  const [code] = (await once(shell, 'exit')) as [number | null]
  clearTimeout(deadline)
  t.equal(code, 0)
  t.same(output.join('').trim().split('\n'), [
    'RCV-000001',
    'submitted',
    'approved',
    '{"doses":200,"why":"expiry"}',
    '{"doses":1000,"allocated":200,"available":800}',
    'picked',
    '{"name":"Kabupaten Bandung","onHand":800,"inTransit":0}',
    '{"name":"Puskesmas Cibiru","onHand":0,"inTransit":200}',
    '{"accepted":180,"rejected":10,"short":10}',
    'received',
    'shipped',
    '{"accepted":190,"rejected":10,"short":0}',
    'order.received',
    'closed',
    '{"name":"Kabupaten Bandung","fromSupplier":1000,"onHand":800,"inTransit":0,"wasted":0,"adjusted":0}',
    '{"name":"Puskesmas Cibiru","fromSupplier":0,"onHand":190,"inTransit":0,"wasted":10,"adjusted":0}',
    'RCV-000001',
    'SHP-000002',
    'DLV-000001',
    'REV-000002',
    'DLV-000003',
    'disposal.samePerson',
    'bidan',
    'approved',
    'done',
    '{"name":"Kabupaten Bandung","onHand":800,"onHold":800}',
    '{"name":"Puskesmas Cibiru","onHand":190,"onHold":190}',
  ])
})
