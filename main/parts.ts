import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { pushPublicKeyOf } from '../adapters/notice/open-people.ts'
import { startApi } from '../api/index.ts'
import { startCommandSender, type CommandSender } from '../broker/command-sender.ts'
import { startBroker, type Broker } from '../broker/index.ts'
import { startIngest, type Ingest } from '../ingest/index.ts'
import { startNotifier } from '../notifier/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Intake } from '../ports/intake.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import type { Part } from '../ports/part.ts'
import type { Tracer } from '../ports/trace.ts'
import { WEBSITE_DIR } from './website.ts'
import type { Config } from './config.ts'
import { partsOf } from './deployment.ts'
import type { PromMetrics } from './metrics.ts'
import type { Stores } from './stores.ts'

interface Starting extends Stores {
  readonly config: Config
  readonly log: Logger
  readonly metrics: PromMetrics
  readonly clock: Clock
  readonly channels: readonly NoticeChannel[]
  readonly tracer?: Tracer | undefined
  /** Stops what was started, last first. */
  readonly stack: AsyncDisposableStack
}

export interface Parts {
  readonly all: readonly Part[]
  readonly broker: Broker | undefined
}

/** In the order of the data, but for whoever consumes: it is there before something is produced. */
export async function startParts(deps: Starting): Promise<Parts> {
  const { config, stack } = deps
  const named = new Set(partsOf(config))
  const stopping = <T extends Part>(part: T): T => stack.adopt(part, (it) => it.stop())
  const notifier = named.has('notifier') ? stopping(await notifierOf(deps)) : undefined
  const ingest = named.has('ingest') ? stopping(await ingestOf(deps)) : undefined
  const needsIntake = named.has('broker') || named.has('api')
  const intake = needsIntake ? (ingest?.intake ?? (await remoteIntake(deps))) : undefined
  const broker = named.has('broker') ? stopping(await brokerOf(deps, there(intake))) : undefined
  const api = named.has('api')
    ? stopping(await apiOf(deps, there(intake), broker ?? (await commandSender(deps))))
    : undefined
  const all = [broker, ingest, notifier, api].filter((part) => part !== undefined)
  return { all, broker }
}

/** What the deployment says is there for the parts in this process. */
function there<T>(resource: T | undefined): T {
  if (resource === undefined) throw new Error('a part was started without what it needs')
  return resource
}

async function remoteIntake({ config, log, metrics, stack }: Starting): Promise<Intake> {
  const { openHttpIntake } = await import('../adapters/intake/http.ts')
  const urls = config.INTAKE_URL.split(',').map((url) => url.trim())
  const intake = openHttpIntake({ urls, token: config.INTAKE_TOKEN, log, metrics })
  return stack.adopt(intake, (it) => it.close())
}

/** How an api without a broker beside it reaches devices. */
async function commandSender(deps: Starting): Promise<CommandSender> {
  const { config, log, stack } = deps
  const sender = await startCommandSender({
    ...deps,
    ...there(deps.sessions),
    log: log.child({ part: 'api' }),
    settings: { packetBytesMax: config.MQTT_PACKET_BYTES_MAX },
  })
  return stack.adopt(sender, (it) => it.stop())
}

async function notifierOf(deps: Starting): Promise<Part> {
  const { config, log } = deps
  return startNotifier({
    ...deps,
    queue: there(deps.queue),
    series: there(deps.series),
    log: log.child({ part: 'notifier' }),
    settings: {
      notifyAgeMsMax: config.NOTIFY_AGE_MS_MAX,
      reminderEveryMs: config.REMINDER_EVERY_MS,
      forecastEveryMs: config.FORECAST_EVERY_MS,
    },
  })
}

async function ingestOf(deps: Starting): Promise<Ingest> {
  const { config, log } = deps
  return startIngest({
    ...deps,
    queue: there(deps.queue),
    series: there(deps.series),
    log: log.child({ part: 'ingest' }),
    settings: {
      futureMsMax: config.CLOCK_AHEAD_MS_MAX,
      refusalRetentionDays: config.REFUSAL_RETENTION_DAYS,
      refusalsMax: config.REFUSALS_MAX,
      bodyBytesMax: config.HTTP_BODY_BYTES_MAX,
      intakeToken: config.INTAKE_TOKEN,
    },
  })
}

async function brokerOf(deps: Starting, intake: Intake): Promise<Broker> {
  const { config, log } = deps
  const sessions = there(deps.sessions)
  return startBroker({
    ...deps,
    intake,
    persistence: sessions.persistence,
    mq: sessions.mq,
    log: log.child({ part: 'broker' }),
    settings: {
      host: config.HTTP_HOST,
      mqttPort: config.MQTT_PORT,
      webSocketPort: config.MQTT_WS_PORT,
      connectionsMax: config.MQTT_CONNECTIONS_MAX,
      packetBytesMax: config.MQTT_PACKET_BYTES_MAX,
      intakeWaitMs: config.INTAKE_WAIT_MS,
      tls: await certificate(config),
    },
  })
}

async function certificate(config: Config) {
  if (!config.TLS_CERT_FILE || !config.TLS_KEY_FILE) return undefined
  const [cert, key] = await Promise.all([readFile(config.TLS_CERT_FILE), readFile(config.TLS_KEY_FILE)])
  return { cert, key, mqttPort: config.MQTT_TLS_PORT, webSocketPort: config.MQTT_WSS_PORT }
}

async function apiOf(
  deps: Starting,
  intake: Intake,
  { sendCommand }: Pick<CommandSender, 'sendCommand'>,
): Promise<Part> {
  const { config, log } = deps
  return startApi({
    ...deps,
    intake,
    queue: there(deps.queue),
    series: there(deps.series),
    log: log.child({ part: 'api' }),
    sendCommand,
    settings: {
      gs1CompanyPrefix: config.GS1_COMPANY_PREFIX,
      websiteDir: WEBSITE_DIR,
      pushPublicKey: pushPublicKeyOf(config.NOTICE_URLS),
      jwtSecret: config.JWT_SECRET || (await keptSecret(join(config.DATA_DIR, 'jwt-secret'))),
      accessTokenTtlMs: config.ACCESS_TOKEN_TTL_MS,
      refreshTokenTtlMs: config.REFRESH_TOKEN_TTL_MS,
    },
  })
}

/** A secret that is made at the first start and kept, so that access tokens outlive a restart. */
async function keptSecret(file: string): Promise<string> {
  try {
    await writeFile(file, randomBytes(48).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFile(file, 'utf8')
}
