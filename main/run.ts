import { hostname } from 'node:os'
import { NoticeUrlError } from '../adapters/notice/open.ts'
import { ConfigError, readConfig, redacted, type Config } from './config.ts'
import { isDistributed } from './deployment.ts'
import { createLogKeeper } from './log-keeper.ts'
import { createLog } from './log.ts'
import { startProgram, type Program } from './program.ts'
import { VERSION } from './version.ts'

if (process.argv.includes('--help')) {
  console.log(
    'Usage: npm start\n\nRuns Coldstream in one process. Settings are environment variables: see docs/configuration.md.',
  )
  process.exit(0)
}

const config = configOrExit()
const keeper = createLogKeeper()
const otlp = await openTelemetry(config)
const log = createLog(config.LOG_LEVEL, { taps: otlp ? [keeper.tap, otlp.tap] : [keeper.tap] })
log.info({ version: VERSION, settings: redacted(config) }, 'starting')
try {
  const program = await startProgram(config, log, { keeper, tracer: otlp?.tracer })
  stopOnSignals(program)
  // One process of several is not where a person begins.
  if (config.LOG_LEVEL !== 'silent' && !isDistributed(config)) console.log(welcome(program))
} catch (error) {
  if (error instanceof NoticeUrlError) refuse(error)
  log.fatal({ err: error }, 'could not start')
  process.exit(1)
}

/** Its packages are loaded by those who want it. */
async function openTelemetry({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_TRACES_SAMPLER_ARG: ratio,
  PARTS,
}: Config) {
  if (endpoint === '') return undefined
  const { openOtlp } = await import('../adapters/trace/otlp.ts')
  const attributes = {
    'service.name': 'coldstream',
    'service.version': VERSION,
    'service.instance.id': `${hostname()}:${process.pid}`,
    'coldstream.parts': PARTS,
  }
  return openOtlp({ endpoint, ratio, attributes })
}

function refuse(error: Error): never {
  console.error(`${error.message}\nEvery setting is explained in docs/configuration.md.`)
  process.exit(2)
}

function configOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (error instanceof ConfigError) refuse(error)
    throw error
  }
}

function stopOnSignals(program: Program): void {
  let stopping = false
  const stop = (signal: string) => {
    // The second signal is a person losing patience.
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.error({ shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS }, 'not stopped in time, leaving')
      process.exit(1)
    }, config.SHUTDOWN_TIMEOUT_MS).unref()
    program.stop().then(
      async () => {
        log.info('stopped')
        await otlp?.close()
        process.exit(0)
      },
      (error: unknown) => {
        log.error({ err: error }, 'did not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function welcome({ httpPort, mqttPort, adminPassword }: Program): string {
  const api = `http://localhost:${httpPort}`
  const password = adminPassword ?? 'PASSWORD'
  const lines = [
    '',
    `Coldstream ${VERSION} is running.`,
    `  API and its documentation   ${api}/docs`,
    `  MQTT                        mqtt://localhost:${mqttPort}`,
    adminPassword
      ? `  Administrator               admin / ${adminPassword}   (shown this once: change it)`
      : '  Administrator               admin, with the password you have',
    '',
    'Log in:',
    `  curl -s ${api}/v1/auth/login -H 'content-type: application/json' -d '{"username":"admin","password":"${password}"}'`,
    'Register a facility, equipment and a device (docs/tutorial.md), then send a reading with its token:',
    `  mosquitto_pub -p ${mqttPort} -q 1 -u TOKEN -t v1/devices/me/telemetry -m '{"temperature":4.2}'`,
    '',
  ]
  return lines.join('\n')
}
