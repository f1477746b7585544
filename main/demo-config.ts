import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { readConfig, type Config } from './config.ts'

const PORTS = ['HTTP_PORT', 'MQTT_PORT', 'MQTT_WS_PORT'] as const

export interface DemoConfig {
  readonly config: Config
  /** What differs from the defaults and why, for people. */
  readonly notes: readonly string[]
}

/**
 * The settings of the demo: those of the environment, but with everything in `dataDir`, a random password, only this machine listening to,
 * and any free port in place of one that is taken.
 * @throws ConfigError
 */
export async function demoConfig(
  env: Readonly<Record<string, string | undefined>>,
  dataDir: string,
): Promise<DemoConfig> {
  const config = readConfig({
    HTTP_HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    ...env,
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    ADMIN_PASSWORD: randomBytes(9).toString('base64url'),
  })
  const taken: (typeof PORTS)[number][] = []
  for (const name of PORTS) if (!(await isFree(config.HTTP_HOST, config[name]))) taken.push(name)
  return {
    config: { ...config, ...Object.fromEntries(taken.map((name) => [name, 0])) },
    notes: taken.map((name) => `Port ${config[name]} (${name}) is taken: using a free one.`),
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
