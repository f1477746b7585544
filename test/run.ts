import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hasMariadb, SHARED_MARIADB, startMariadb } from './services/mariadb.ts'

// `npm test`: runs tap with a MariaDB that all files share, each with a database of its own. To start one for each file would take
// longer than what most of them do with it. It need not survive anything: tests of that start servers of their own.
const NOTHING_DURABLE = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--max-connections=500',
]

const mariadb = hasMariadb ? await startMariadb({}, NOTHING_DURABLE) : undefined
const shared = mariadb && { [SHARED_MARIADB]: mariadb.url }
const tap = spawn('tap', ['run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ...shared },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void tap.kill(signal))
const [code] = (await once(tap, 'exit')) as [number | null]
await mariadb?.stop()
process.exitCode = code ?? 1
