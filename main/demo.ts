import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openApi, type Api } from '../simulators/api.ts'
import { stopSignal } from '../simulators/commands/stop-signal.ts'
import { runFleet, type FleetProgress } from '../simulators/fleet.ts'
import { register } from '../simulators/register.ts'
import type { Screen } from '../simulators/screen.ts'
import { ConfigError } from './config.ts'
import { demoConfig } from './demo-config.ts'
import { demoFleet, DISTRICT, SPARE } from './demo-district.ts'
import { stockDistrict } from './demo-stock.ts'
import { liveTable, openDemoScreen, plainState, welcome, type Row } from './demo-view.ts'
import { watchBreaches } from './demo-watch.ts'
import { createLog } from './log.ts'
import { startProgram } from './program.ts'

const USAGE = `Usage: npm run demo -- [options]

The whole program in one process, with a small district and six simulated refrigerators, one of which has lost its power.
What it keeps is in a temporary folder that goes when it stops. Ports: HTTP_PORT (8080), MQTT_PORT (1883), or free ones.

  --exit-after-breach    stop once the breach and its notification are there (exit code 0), or after 120 s without (1)
  --catch-up <seconds>   how long the last 13 hours take (default: 40)
  --help                 this text`

const PAST_MS = 13 * 3_600_000
const CADENCE_MS = 300_000
const LIVE_CADENCE_MS = 10_000
const BREACH_DEADLINE_MS = 120_000
const EXIT_DEADLINE_MS = 10_000

interface Options {
  readonly exitAfterBreach: boolean
  readonly catchUpMs: number
}

const stop = new AbortController()
stopSignal().addEventListener('abort', () => {
  // Whatever hangs, Ctrl-C gives the terminal back.
  setTimeout(() => process.exit(1), EXIT_DEADLINE_MS).unref()
  stop.abort()
})
process.exit(await main(readOptions()))

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        'exit-after-breach': { type: 'boolean', default: false },
        'catch-up': { type: 'string', default: '40' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const catchUpMs = Number(values['catch-up']) * 1000
    if (!(catchUpMs >= 1000 && catchUpMs <= 3_600_000)) throw new Error('--catch-up takes 1 to 3600 seconds.')
    return { exitAfterBreach: values['exit-after-breach'], catchUpMs }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    process.exit(2)
  }
}

async function main(options: Options): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coldstream-demo-'))
  const screen = openDemoScreen()
  try {
    return await run(options, dataDir, screen)
  } catch (error) {
    screen.done()
    console.error(error instanceof ConfigError ? error.message : error)
    return 1
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function run(options: Options, dataDir: string, screen: Screen): Promise<number> {
  const { config, notes } = await demoConfig(process.env, dataDir)
  const log = createLog(config.LOG_LEVEL, {
    destination: { write: (text: string) => screen.line(text.trimEnd()) },
  })
  const program = await startProgram(config, log)
  try {
    const password = config.ADMIN_PASSWORD
    const { httpPort, mqttPort = 0 } = program
    const api = await openApi({ url: `http://localhost:${httpPort}`, username: 'admin', password })
    const devices = await register(api, DISTRICT)
    await stockDistrict(api, devices)
    const token = devices.find(({ equipment }) => equipment === SPARE)?.token ?? ''
    for (const note of notes) screen.line(note)
    screen.line(welcome({ httpPort, mqttPort, password, token, catchUpMs: options.catchUpMs }))
    const simulated = devices.filter(({ equipment }) => equipment !== SPARE)
    const rows = simulated.map((device): Row => ({ device, values: undefined, breach: undefined }))
    return await live(options, rows, screen, api, `mqtt://localhost:${mqttPort}`)
  } finally {
    await program.stop()
    screen.done()
  }
}

/** Runs the fleet and watches for breaches until the signal; resolves with the exit code. */
async function live(options: Options, rows: Row[], screen: Screen, api: Api, url: string): Promise<number> {
  let told = false
  const onTold = () => {
    told = true
    screen.line('The breach and its notification are in the API.')
    if (options.exitAfterBreach) stop.abort()
  }
  const deadline = setTimeout(() => options.exitAfterBreach && stop.abort(), BREACH_DEADLINE_MS)
  try {
    await Promise.all([
      endingAll(simulate(options, rows, screen, url)),
      endingAll(watchBreaches({ api, rows, signal: stop.signal, onTold })),
    ])
  } finally {
    clearTimeout(deadline)
  }
  if (!options.exitAfterBreach || told) return 0
  console.error(`No breach was told of within ${BREACH_DEADLINE_MS / 1000} s.`)
  return 1
}

/** When one half fails, the other must not go on alone. */
async function endingAll(half: Promise<unknown>): Promise<void> {
  try {
    await half
  } finally {
    stop.abort()
  }
}

async function simulate({ catchUpMs }: Options, rows: Row[], screen: Screen, url: string): Promise<void> {
  const startAt = Date.now() - PAST_MS
  let progress: FleetProgress | undefined
  const show = () =>
    screen.state(process.stdout.isTTY ? liveTable(rows, progress) : plainState(rows, progress))
  await runFleet({
    url,
    members: demoFleet(
      rows.map(({ device }) => device),
      startAt,
    ),
    startAt,
    speed: PAST_MS / catchUpMs,
    cadenceMs: CADENCE_MS,
    liveCadenceMs: LIVE_CADENCE_MS,
    signal: stop.signal,
    onReading: (index, _time, values) => {
      const row = rows[index]
      if (row) row.values = values
    },
    onProgress: (now) => {
      progress = now
      show()
    },
  })
}
