import { execFile } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'tap'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function simulate(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ADMIN_PASSWORD: '' }
    execFile(process.execPath, ['simulators/cli.ts', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

/** An address where nothing listens. */
async function deadAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return `http://127.0.0.1:${port}`
}

test('help says what there is, with examples and exit codes', async (t) => {
  const { code, stdout } = await simulate('--help')
  t.equal(code, 0)
  for (const word of ['fleet', 'scenario', 'expect', 'list', 'Examples:', 'Exit codes:'])
    t.match(stdout, word)
})

test('list names every scenario', async (t) => {
  const { code, stdout } = await simulate('list')
  t.equal(code, 0)
  t.equal(stdout.trim().split('\n').length, 9)
})

test('expect agrees with the checked-in files', async (t) => {
  const { code, stdout } = await simulate('expect')
  t.equal(code, 0)
  t.match(stdout, /power-cut: same/)
})

test('wrong usage is exit code 2 and says what is wrong', async (t) => {
  const cases: [string[], RegExp][] = [
    [['scenario', 'nope', '--password', 'x'], /There is no scenario "nope".*power-cut/],
    [['fleet', '--devices', '-1', '--password', 'x'], /whole number/],
    [['fleet', '--cadence', '10', '--password', 'x'], /Not a duration/],
    [['fleet', '--failing', '1:tornado', '--password', 'x'], /kind of power-cut/],
    [['fleet'], /--password/],
    [['tornado'], /unknown command/],
  ]
  const ended = await Promise.all(cases.map(([args]) => simulate(...args)))
  for (const [index, { code, stderr }] of ended.entries()) {
    t.equal(code, 2)
    t.match(stderr, cases[index]?.[1] ?? '')
  }
})

test('a server that is not there is exit code 3 and says how to name another', async (t) => {
  const { code, stderr } = await simulate(
    'scenario',
    'power-cut',
    '--http',
    await deadAddress(),
    '--password',
    'x',
  )
  t.equal(code, 3)
  t.match(stderr, /ECONNREFUSED/)
  t.match(stderr, /--http/)
})
