import { randomUUID } from 'node:crypto'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { userInfo } from 'node:os'
import { createConnection, type Connection } from 'mysql2/promise'
import type { Test } from 'tap'
import { waitFor } from '../wait-for.ts'
import { folderFor, portFor, type Place } from './place.ts'

const SERVER = '/usr/sbin/mariadbd'
const START_MS_MAX = 120_000

/** Whether MariaDB is installed here. */
export const hasMariadb = existsSync(SERVER)

/** Where the address of the server is that the files of a whole run share. */
export const SHARED_MARIADB = 'TEST_MARIADB_URL'

/** The address of a fresh, empty database, gone with the test: on the server of the whole run, or on one of its own. */
export async function freshDatabase(t: Test): Promise<string> {
  const shared = process.env[SHARED_MARIADB]
  if (shared === undefined) {
    const server = await startMariadb()
    t.teardown(() => server.stop())
    return server.url
  }
  const url = new URL(shared)
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await ask(url, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`)
  t.teardown(() => ask(url, `DROP DATABASE ${name}`))
  url.pathname = name
  return url.href
}

async function ask(url: URL, sql: string): Promise<void> {
  const connection = await createConnection(url.href)
  await connection.query(sql)
  await connection.end()
}

export interface Mariadb {
  /** Of a fresh, empty database. */
  readonly url: string
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data. */
  start(): Promise<void>
  /** SIGSTOP and SIGCONT: it keeps its connections, and answers nothing. */
  pause(): void
  resume(): void
  /** Ends it for good; its data goes with it, unless it has a place of its own. */
  stop(): Promise<void>
}

/**
 * Starts a private server, in a temporary folder and on a free port unless told otherwise.
 * @param flags of the server, beside those of its place
 */
export async function startMariadb(place: Place = {}, flags: readonly string[] = []): Promise<Mariadb> {
  const { folder, leave } = await folderFor('mariadb', place)
  const server = new MariadbProcess(folder, await portFor(place), userInfo().username)
  await server.install()
  await server.start(flags)
  await server.createDatabase()
  return {
    url: server.url,
    start: () => server.start(flags),
    kill: () => server.end('SIGKILL'),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    async stop() {
      // A stopped process does not hear SIGTERM.
      server.signal('SIGCONT')
      await server.end('SIGTERM')
      await leave()
    },
  }
}

/** A server process on a folder and a port of its own, with no settings of the machine's. */
export class MariadbProcess {
  readonly url: string
  readonly #dir: string
  readonly #tmp: string
  readonly #port: number
  readonly #user: string
  #child: ChildProcess | undefined

  /** @param user whom the server runs as, and who owns its data */
  constructor(dir: string, port: number, user: string) {
    this.url = `mysql://root@127.0.0.1:${port}/coldstream`
    this.#dir = dir
    this.#tmp = `${dir}/tmp`
    this.#port = port
    this.#user = user
  }

  /** Makes the data, unless they are there. */
  async install(): Promise<void> {
    if (existsSync(`${this.#dir}/data`)) return
    await this.#makeTmp()
    await promisify(execFile)('mariadb-install-db', [
      ...this.#own(),
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ])
  }

  /** Starts it, and resolves when it takes connections and `isReady` says so of one. */
  async start(
    flags: readonly string[] = [],
    isReady: (connection: Connection) => Promise<boolean> = async () => true,
  ): Promise<void> {
    await this.#makeTmp()
    const child = spawn(
      SERVER,
      [
        ...this.#own(),
        `--socket=${this.#dir}/socket`,
        `--pid-file=${this.#dir}/pid`,
        `--log-error=${this.#dir}/log`,
        '--bind-address=127.0.0.1',
        `--port=${this.#port}`,
        ...flags,
      ],
      { stdio: 'ignore' },
    )
    this.#child = child
    await waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`MariaDB ended with ${child.exitCode}`)
        return this.#connect().then(
          (connection) => isReady(connection).finally(() => connection.destroy()),
          () => false,
        )
      },
      'MariaDB',
      START_MS_MAX,
    )
  }

  async createDatabase(): Promise<void> {
    const connection = await this.#connect()
    await connection.query(
      'CREATE DATABASE IF NOT EXISTS coldstream CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    )
    await connection.end()
  }

  /** Runs the server for one answer, such as `--wsrep-recover`, and answers what it logged. */
  async ask(flag: string): Promise<string> {
    // Without a port: the default one would be the same for every server that is asked now.
    const { stderr } = await promisify(execFile)(SERVER, [
      ...this.#own(),
      `--socket=${this.#dir}/socket`,
      '--skip-networking',
      flag,
    ])
    return stderr
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  async #connect(): Promise<Connection> {
    return createConnection({ host: '127.0.0.1', port: this.#port, user: 'root' })
  }

  /** A server that starts clears its folder of temporary tables, also of those that others have there: each has its own. */
  async #makeTmp(): Promise<void> {
    await mkdir(this.#tmp, { recursive: true })
    await chmod(this.#tmp, 0o777)
  }

  #own(): string[] {
    return ['--no-defaults', `--user=${this.#user}`, `--datadir=${this.#dir}/data`, `--tmpdir=${this.#tmp}`]
  }
}
