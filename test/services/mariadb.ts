import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { waitFor } from '../wait-for.ts'
import { folderFor, portFor, type Place } from './place.ts'

const SERVER = '/usr/sbin/mariadbd'

/** Whether MariaDB is installed here. */
export const hasMariadb = existsSync(SERVER)

export interface Mariadb {
  /** Of a fresh, empty database. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts a private server, in a temporary folder and on a free port unless told otherwise. */
export async function startMariadb(place: Place = {}): Promise<Mariadb> {
  const { folder: dir, leave } = await folderFor('mariadb', place)
  const user = userInfo().username
  if (!existsSync(`${dir}/data`))
    await promisify(execFile)('mariadb-install-db', [
      '--no-defaults',
      `--user=${user}`,
      `--datadir=${dir}/data`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ])
  const port = await portFor(place)
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
    () => {
      if (child.exitCode !== null) throw new Error(`MariaDB ended with ${child.exitCode}`)
      return createConnection(root).then(
        async (connection) => {
          await connection.query(
            'CREATE DATABASE IF NOT EXISTS coldstream CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
          )
          await connection.end()
          return true
        },
        () => false,
      )
    },
    'MariaDB',
    60_000,
  )
  return {
    url: `mysql://root@127.0.0.1:${port}/coldstream`,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      }
      await leave()
    },
  }
}
