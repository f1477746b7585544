import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pkg from '../../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '../..')
// What `npm start` runs, and `npm run start:part` where one part has a process of its own, so that nothing else is tested.
const [ENV = '', , ...START] = pkg.scripts.start.split(' ')
const [, ...START_PART] = pkg.scripts['start:part'].split(' ')
export const ADMIN_PASSWORD = 'correct-horse-battery'

/** The whole program in a process of its own, as `npm start` runs it. */
export interface Coldstream {
  readonly pid: number
  readonly httpPort: number
  readonly mqttPort: number
  readonly http: string
  /** Ends it; resolves with its exit code, null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again after its end, on the same ports and data; resolves when it listens. */
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
}

/**
 * Starts the program on the loopback interface and waits until it listens. What it says goes into the file `log` in its folder.
 * @param dataDir kept by the caller, so that it can be started again on the same data
 * @param env further settings; ports are free ones unless given
 */
export async function startColdstream(
  dataDir: string,
  env: Record<string, string> = {},
  nodeOptions: readonly string[] = [],
): Promise<Coldstream> {
  let child = launch(dataDir, env, nodeOptions)
  const { httpPort, mqttPort } = await listening(child, dataDir)
  const samePorts = { HTTP_PORT: String(httpPort), ...(mqttPort && { MQTT_PORT: String(mqttPort) }) }
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    }
    return child.exitCode
  }
  return {
    get pid() {
      return pidOf(child)
    },
    httpPort,
    mqttPort,
    http: `http://127.0.0.1:${httpPort}`,
    end,
    kill: async () => void (await end('SIGKILL')),
    async restart() {
      child = launch(dataDir, { ...env, ...samePorts }, nodeOptions)
      await listening(child, dataDir)
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

function launch(dataDir: string, env: Record<string, string>, nodeOptions: readonly string[]): ChildProcess {
  const isPart = env['PARTS'] !== undefined && env['PARTS'] !== 'all'
  return spawn(process.execPath, [...nodeOptions, ...(isPart ? START_PART : START)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...(isPart ? {} : Object.fromEntries([ENV.split('=')])),
      DATA_DIR: dataDir,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: '0',
      MQTT_PORT: '0',
      MQTT_WS_PORT: '0',
      ADMIN_PASSWORD,
      LOG_LEVEL: 'info',
      ...env,
    },
  })
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('not started')
  return pid
}

interface LogLine {
  readonly msg: string
  readonly httpPort: number
  readonly mqttPort: number
}

async function listening(child: ChildProcess, dataDir: string): Promise<LogLine> {
  if (!child.stdout) throw new Error('the program has no output')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  child.stdout.pipe(createWriteStream(join(dataDir, 'log'), { flags: 'a' }))
  const seen: string[] = []
  const lines = createInterface({ input: child.stdout })
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      if (seen.length < 50) seen.push(line)
      if (!line.includes('"listening"')) return
      resolve(JSON.parse(line) as LogLine)
    })
    child.once('exit', (code) => {
      reject(new Error(`the program ended with ${code} before it listened:\n${seen.join('\n')}`))
    })
  })
}

type Json = Record<string, unknown>

/** A client of the API, logged in as the administrator. */
export class Api {
  readonly #http: string
  #token = ''

  constructor(http: string) {
    this.#http = http
  }

  get token(): string {
    return this.#token
  }

  static async login(http: string): Promise<Api> {
    const api = new Api(http)
    const { accessToken } = await api.post<{ accessToken: string }>('auth/login', {
      username: 'admin',
      password: ADMIN_PASSWORD,
    })
    api.#token = accessToken
    return api
  }

  async get<T>(path: string): Promise<T> {
    return this.#send(path, {})
  }

  async post<T>(path: string, body: Json): Promise<T> {
    return this.#send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async patch<T>(path: string, body: Json): Promise<T> {
    return this.#send(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  /** Every item of a list, page by page. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = []
    let cursor: string | null = null
    do {
      const page: { items: T[]; nextCursor: string | null } = await this.get(
        `${path}${path.includes('?') ? '&' : '?'}limit=200${cursor ? `&cursor=${cursor}` : ''}`,
      )
      items.push(...page.items)
      cursor = page.nextCursor
    } while (cursor)
    return items
  }

  async #send<T>(path: string, init: RequestInit): Promise<T> {
    const response = await fetch(`${this.#http}/v1/${path}`, {
      ...init,
      headers: { ...init.headers, ...(this.#token && { authorization: `Bearer ${this.#token}` }) },
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
}

export interface RegisteredDevice {
  readonly id: string
  readonly name: string
  readonly accessToken: string
}

/** One facility with `count` refrigerators, each with a device. */
export async function registerDevices(http: string, count: number): Promise<RegisteredDevice[]> {
  const api = await Api.login(http)
  const facility = await api.post<{ id: string }>('facilities', {
    name: 'Indonesia',
    level: 'country',
    timeZone: 'Asia/Jakarta',
  })
  const devices: RegisteredDevice[] = []
  for (let i = 0; i < count; i++) {
    const equipment = await api.post<{ id: string }>('equipment', {
      name: `Refrigerator ${i}`,
      facilityId: facility.id,
      kind: 'refrigerator',
      profile: 'who-30dtr',
    })
    const name = `device-${i}`
    const device = await api.post<{ id: string; accessToken: string }>('devices', {
      name,
      equipmentId: equipment.id,
    })
    devices.push({ id: device.id, name, accessToken: device.accessToken })
  }
  return devices
}

/** The sum of a metric over all its labels. */
export async function metric(http: string, name: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text()
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
