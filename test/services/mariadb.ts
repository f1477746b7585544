import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { waitFor } from '../wait-for.ts'

const SERVER = '/usr/sbin/mariadbd'

/** Whether MariaDB is installed here. */
export const hasMariadb = existsSync(SERVER)

export interface Mariadb {
  /** Of a fresh, empty database. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts a private server in a temporary folder, on a free port of the loopback interface. */
export async function startMariadb(): Promise<Mariadb> {
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-mariadb-'))
  const user = userInfo().username
  await promisify(execFile)('mariadb-install-db', [
    '--no-defaults',
    `--user=${user}`,
    `--datadir=${dir}/data`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ])
  const port = await freePort()
  const child = spawn(
    SERVER,
    [
      '--no-defaults',
      `--user=${user}`,
      `--datadir=${dir}/data`,
      `--socket=${dir}/socket`,
      `--pid-file=${dir}/pid`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
    ],
    { stdio: 'ignore' },
  )
  const root = { host: '127.0.0.1', port, user: 'root' }
  await waitFor(
    () =>
      createConnection(root).then(
        async (connection) => {
          await connection.query('CREATE DATABASE coldstream CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
          await connection.end()
          return true
        },
        () => false,
      ),
    'MariaDB',
    60_000,
  )
  return {
    url: `mysql://root@127.0.0.1:${port}/coldstream`,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
