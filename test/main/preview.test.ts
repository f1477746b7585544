import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'

const T0 = Date.UTC(2026, 0, 1)
const MINUTE_MS = 60_000

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function preview(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['main/preview.ts', ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

/** Makes files in a folder of the test's own. */
function folder(t: Test) {
  const path = t.testdir()
  return (name: string, text: string): string => {
    writeFileSync(join(path, name), text)
    return join(path, name)
  }
}

/** Above +8 from minute 60 to 660, every ten minutes: ten hours, and back in range at 670. */
const warm = Array.from({ length: 80 }, (_, index) => {
  const time = T0 + index * 10 * MINUTE_MS
  return { time, value: index >= 6 && index <= 66 ? 8.1 : 5 }
})
const rule = ['--rule', 'who-30dtr-high']
const breach = {
  ruleId: 'who-30dtr-high',
  startAt: '2026-01-01T01:00:00.000Z',
  endAt: '2026-01-01T11:10:00.000Z',
  peak: 8.1,
  readings: 61,
}

test('a CSV file and a file of telemetry say the same, in whatever order', async (t) => {
  const file = folder(t)
  const csv = warm.map(({ time, value }) => `${new Date(time).toISOString()},${value}`)
  const epoch = warm.map(({ time, value }) => `${time / 1000},${value},50`).toReversed()
  const lines = warm.map(({ time, value }) => JSON.stringify({ ts: time, values: { temperature: value } }))
  const files = [
    file('plain.csv', csv.join('\n')),
    file('named.csv', ['time,temperature,humidity', ...epoch].join('\r\n')),
    file('lines.jsonl', `${lines.join('\n')}\n`),
  ]
  const ended = await Promise.all(files.map((one) => preview(...rule, '--json', one)))
  for (const [index, { code, stdout, stderr }] of ended.entries()) {
    t.equal(code, 0, `${files[index]} ${stderr}`)
    t.match(JSON.parse(stdout), { readings: 80, rules: ['who-30dtr-high'], breaches: [breach] })
  }
  const { stdout } = await preview('--profile', 'who-30dtr', files[0] ?? '')
  t.match(stdout, /Above \+8\.0 °C for 10 hours.*2026-01-01T01:00.*2026-01-01T11:10.*610.*8\.1.*61/)
  t.match(stdout, /1 breaches by 2 rules in 80 readings/)
})

test('rules of one’s own, on the clock of the place', async (t) => {
  const file = folder(t)
  const csv = file('a.csv', warm.map(({ time, value }) => `${time},${value}`).join('\n'))
  const own = {
    name: 'N',
    quantity: 'temperature',
    comparator: 'gt',
    threshold: 8,
    mode: 'consecutive',
    durationMs: 60 * MINUTE_MS,
    severity: 'warning',
  }
  const rules = file('r.json', JSON.stringify([{ ...own, activeHours: { from: '08:00', to: '10:00' } }]))
  const found = async (...more: string[]) =>
    (
      JSON.parse((await preview('--rules', rules, '--json', ...more, csv)).stdout) as {
        breaches: { startAt: string }[]
      }
    ).breaches.map(({ startAt }) => startAt)
  const [utc, jakarta] = await Promise.all([found(), found('--time-zone', 'Asia/Jakarta')])
  t.same(utc, ['2026-01-01T08:00:00.000Z'])
  t.same(jakarta, ['2026-01-01T01:00:00.000Z'])
})

test('what is wrong is said, with the line', async (t) => {
  const make = folder(t)
  const never = {
    name: 'N',
    quantity: 'temperature',
    comparator: 'gt',
    threshold: 100,
    mode: 'instant',
    severity: 'warning',
  }
  const good = make('good.csv', '1767225600,5\n')
  const cases: [string[], number, RegExp][] = [
    [
      [...rule, make('time.csv', 'time,value\n2026-01-01T00:00:00Z,5\nyesterday,5\n')],
      1,
      /time\.csv:3: "yesterday" is not a time/,
    ],
    [
      [...rule, make('value.csv', '1767225600,5\n1767226200,cold\n')],
      1,
      /value\.csv:2: reading\.notANumber: "cold"/,
    ],
    [[...rule, make('fault.csv', '1767225600,85\n')], 1, /fault\.csv:1: reading\.sensorFault/],
    [[...rule, make('head.csv', 'time,warmth\n1,2\n')], 1, /head\.csv:1: "warmth" is neither/],
    [
      [...rule, make('json.jsonl', '{"ts":1767225600000,"values":{"temperature":5}}\n{"ts":\n')],
      1,
      /json\.jsonl:2: packet\.notJson/,
    ],
    [[...rule, make('nots.jsonl', '{"temperature":5}\n')], 1, /nots\.jsonl:1: has no ts/],
    [[...rule, make('empty.csv', '')], 1, /has no readings/],
    [[...rule, 'nowhere.csv'], 1, /nowhere\.csv: cannot be read/],
    [['--rules', make('never.json', JSON.stringify([never])), good], 1, /\/0\/threshold rule\.neverViolated/],
    [['--rules', make('odd.json', '[{"name":"N"}]'), good], 1, /odd\.json: /],
    [['--rule', 'nope', good], 2, /no shipped rule "nope"/],
    [['--profile', 'nope', good], 2, /no shipped profile "nope"/],
    [[good], 2, /at least one of --rule/],
    [[...rule], 2, /missing required argument/],
    [[...rule, '--time-zone', 'Mars', good], 2, /not an IANA time zone/],
  ]
  const ended = await Promise.all(cases.map(([args]) => preview(...args)))
  for (const [index, { code, stderr }] of ended.entries()) {
    t.equal(code, cases[index]?.[1], stderr)
    t.match(stderr, cases[index]?.[2] ?? '')
  }
  const { code, stdout } = await preview('--help')
  t.equal(code, 0)
  for (const word of ['who-30dtr-high', 'Examples:', 'Exit codes:', '--time-zone']) t.match(stdout, word)
})
