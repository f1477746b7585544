import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { waitFor } from '../wait-for.ts'
import { portFor } from './place.ts'

const MYSQL = '/usr/bin/prometheus-mysqld-exporter'
const REDIS = '/usr/bin/prometheus-redis-exporter'

/** Whether the exporters for MySQL and Redis are installed here. */
export const hasExporters = existsSync(MYSQL) && existsSync(REDIS)

export interface Exporter {
  /** Such as `127.0.0.1:9104`. */
  readonly address: string
  stop(): Promise<void>
}

/** What compose.yaml starts as `mysql-exporter`: with no more rights than the reader of the views has. */
export async function startMysqlExporter(host: string, user: string, password: string): Promise<Exporter> {
  const left = ['slave_status', 'info_schema.innodb_cmp', 'info_schema.innodb_cmpmem']
  const flags = left.map((name) => `--no-collect.${name}`)
  return start(MYSQL, (address) => [`--web.listen-address=${address}`, ...flags], {
    DATA_SOURCE_NAME: `${user}:${password}@(${host})/`,
  })
}

/** What compose.yaml starts as `redis-exporter`. */
export async function startRedisExporter(url: string): Promise<Exporter> {
  return start(REDIS, (address) => [`-web.listen-address=${address}`, `-redis.addr=${url}`], {})
}

async function start(command: string, flags: (address: string) => string[], env: Record<string, string>) {
  const address = `127.0.0.1:${await portFor({})}`
  const child = spawn(command, flags(address), { env: { ...process.env, ...env }, stdio: 'ignore' })
  await waitFor(() => {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
    return fetch(`http://${address}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    )
  }, command)
  return {
    address,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
