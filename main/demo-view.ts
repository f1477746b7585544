import Table from 'cli-table3'
import type { Values } from '../domain/reading.ts'
import type { FleetProgress } from '../simulators/fleet.ts'
import type { RegisteredDevice } from '../simulators/register.ts'
import { openScreen, type Screen } from '../simulators/screen.ts'

export interface Addresses {
  readonly httpPort: number
  readonly mqttPort: number
  readonly password: string
  /** Token of the device that nobody simulates. */
  readonly token: string
  readonly catchUpMs: number
}

/** What is known of one refrigerator at this moment. */
export interface Row {
  readonly device: RegisteredDevice
  values: Values | undefined
  breach: string | undefined
}

/** The first lines: where to go from here. Every command works as pasted. */
export function welcome({ httpPort, mqttPort, password, token, catchUpMs }: Addresses): string {
  const api = `http://localhost:${httpPort}`
  const login = `curl -s ${api}/v1/auth/login -H 'content-type: application/json' -d '{"username":"admin","password":"${password}"}'`
  return [
    '',
    'Coldstream is running, with a small district and six simulated refrigerators. One has just lost its power.',
    '',
    `  Website          ${api}`,
    `  API              ${api}/v1`,
    `  Documentation    ${api}/docs`,
    `  MQTT             mqtt://localhost:${mqttPort}`,
    `  User             admin`,
    `  Password         ${password}`,
    '',
    'Log in and list the open breaches:',
    `  curl -s '${api}/v1/breaches?state=open' -H "authorization: Bearer $(${login} | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')"`,
    '',
    'Send a reading of your own:',
    `  mosquitto_pub -h localhost -p ${mqttPort} -q 1 -u ${token} -t v1/devices/me/telemetry -m '{"temperature":4.2}'`,
    '',
    `The last 13 hours pass in about ${Math.round(catchUpMs / 1000)} seconds, then time is real. Ten hours above +8.0 °C are a breach. Ctrl-C stops everything.`,
    '',
  ].join('\n')
}

/** The refrigerators now, for a terminal. */
export function liveTable(rows: readonly Row[], progress: FleetProgress | undefined): string {
  const table = new Table({
    head: ['refrigerator', 'facility', 'temperature', 'state', 'open breach'],
    colAligns: ['left', 'left', 'right', 'left', 'left'],
    style: { head: [], border: [], compact: true },
  })
  for (const { device, values, breach } of rows)
    table.push([device.equipment, device.facility, celsius(values), stateOf(values), breach ?? ''])
  return `${table.toString()}\n${progress ? pace(progress) : 'connecting'}`
}

/** The same on one line, for a log. */
export function plainState(rows: readonly Row[], progress: FleetProgress | undefined): string {
  const states = rows.map(
    ({ device, values }) => `${device.equipment.replace('Refrigerator ', '')} ${celsius(values)}`,
  )
  return `${progress ? pace(progress) : 'connecting'}: ${states.join(', ')}`
}

function pace({ simulatedTime, live, acknowledged }: FleetProgress): string {
  const time = new Date(simulatedTime).toISOString().slice(0, 19)
  return `${time}Z ${live ? 'now, in real time' : 'catching up'}, ${acknowledged} readings acknowledged`
}

function celsius(values: Values | undefined): string {
  return values?.temperature === undefined ? '-' : `${values.temperature.toFixed(1)} °C`
}

function stateOf(values: Values | undefined): string {
  const temperature = values?.temperature
  if (temperature === undefined) return 'no reading yet'
  const power = values?.powerGoodSeconds === 0 ? ', no power' : ''
  if (temperature > 8) return `too warm${power}`
  return temperature < 2 ? `too cold${power}` : `in range${power}`
}

/**
 * A screen that also takes what others write to standard output (the console channel of the notifier) and lets it stand above the table;
 * written straight through it would tear the table apart. Without a terminal nothing is diverted.
 */
export function openDemoScreen(stdout: NodeJS.WriteStream = process.stdout): Screen {
  if (!stdout.isTTY) return openScreen(stdout)
  const { write } = stdout
  const screen = openScreen(
    Object.create(stdout, { write: { value: write.bind(stdout) } }) as NodeJS.WriteStream,
  )
  stdout.write = (chunk: string | Uint8Array) => {
    screen.line(String(chunk).trimEnd())
    return true
  }
  return {
    ...screen,
    done() {
      screen.done()
      stdout.write = write
    },
  }
}
