import { deploymentProblems } from './deployment.ts'
import { Type, type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'

const port = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: value, description })
const milliseconds = (value: number, description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: 31_536_000_000, default: value, description })
const bytes = (value: number, description: string) =>
  Type.Integer({ minimum: 1024, maximum: Number.MAX_SAFE_INTEGER, default: value, description })
const text = (value: string, description: string) => Type.String({ default: value, description })
const secret = (description: string) => Type.String({ default: '', description, secret: true })

/** Every setting there is. Names carry their unit. `docs/configuration.md` is generated from this. */
export const SETTINGS = {
  PARTS: text('all', 'Parts in this process: `all`, or names from `broker,ingest,notifier,api`.'),
  DATA_DIR: text('./data', 'Folder of everything that the embedded deployment keeps.'),
  DATABASE_URL: text(
    '',
    'Relational data: `mysql://user:password@host/database`; of a cluster `host1,host2,host3`, tried in this order. Empty: SQLite in `$DATA_DIR`.',
  ),
  QUEUE_URL: text('', 'Durable queue: `amqp://user:password@host`. Empty: SQLite in `$DATA_DIR`.'),
  SERIES_URL: text('', 'Time series: `http://host:8428` of VictoriaMetrics. Empty: SQLite in `$DATA_DIR`.'),
  CACHE_URL: text('', 'Cache, MQTT sessions, hints between processes: `redis://host`. Empty: this process.'),
  INTAKE_URL: text(
    '',
    'Where a broker or api without ingest beside it hands packets over: `http://host:8080` of each ingest worker, separated by commas.',
  ),
  INTAKE_TOKEN: secret(
    'What brokers show to ingest workers, at least 32 characters. Empty: packets are taken only from this process.',
  ),
  NOTICE_URLS: Type.String({
    default: 'console:',
    secret: true,
    description:
      'Who is told, separated by white space: `console:`, `https://host/path?secret=whsec_...` (Standard Webhooks), `smtp://user:password@host:587?from=a@b&to=c@d` (without `to`: people, as the escalation policies say), `sms+https://...` and `whatsapp+https://...` (a gateway), `telegram://token@api.telegram.org`, `push:?subject=mailto:a@b&key=...`. See docs/alarms.md.',
  }),
  HTTP_HOST: text('0.0.0.0', 'Address on which HTTP and MQTT listen.'),
  HTTP_PORT: port(8080, 'API, HTTP intake, health, metrics. 0: any free port.'),
  HTTP_BODY_BYTES_MAX: bytes(1_048_576, 'Largest HTTP body.'),
  MQTT_PORT: port(1883, 'MQTT over TCP.'),
  MQTT_WS_PORT: port(8083, 'MQTT over WebSocket.'),
  MQTT_TLS_PORT: port(8883, 'MQTT over TLS, when a certificate is set.'),
  MQTT_WSS_PORT: port(8084, 'MQTT over WebSocket and TLS, when a certificate is set.'),
  TLS_CERT_FILE: text('', 'Certificate chain (PEM) for the TLS ports.'),
  TLS_KEY_FILE: text('', 'Private key (PEM) for the TLS ports.'),
  MQTT_CONNECTIONS_MAX: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 20_000,
    description: 'MQTT connections at once.',
  }),
  MQTT_PACKET_BYTES_MAX: bytes(65_536, 'Largest MQTT packet.'),
  INTAKE_WAIT_MS: milliseconds(
    30_000,
    'How long an acknowledgement waits for an intake that fails before the device is let go.',
  ),
  CLOCK_AHEAD_MS_MAX: milliseconds(600_000, 'How far in the future the time of a reading may lie.', 0),
  QUEUE_BYTES_MAX: bytes(1_073_741_824, 'Size of each queue on disk at which publishers begin to wait.'),
  REFUSAL_RETENTION_DAYS: Type.Integer({
    minimum: 1,
    maximum: 3650,
    default: 90,
    description: 'How long refused packets are kept.',
  }),
  REFUSALS_MAX: Type.Integer({
    minimum: 100,
    maximum: 10_000_000,
    default: 200_000,
    description: 'How many refused packets are kept; the oldest go first.',
  }),
  FORECAST_EVERY_MS: milliseconds(
    300_000,
    'Between two looks at how long the same equipment will stay within its limit.',
  ),
  NOTIFY_AGE_MS_MAX: milliseconds(
    86_400_000,
    'A breach whose last violating reading is older than this when found is recorded, and nobody is woken.',
  ),
  REMINDER_EVERY_MS: milliseconds(
    14_400_000,
    'Time between reminders of a breach that is open and not acknowledged. 0: none.',
    0,
  ),
  ADMIN_PASSWORD: secret(
    'Password of the user `admin`, created at the first start. Empty: a random one, printed once.',
  ),
  GS1_COMPANY_PREFIX: text(
    '',
    'GS1 company prefix, 7 to 10 digits: shipments get an SSCC of it. Empty: only those that are given one have one.',
  ),
  JWT_SECRET: secret(
    'Key that signs access tokens, at least 32 characters. Empty: a random one, kept in `$DATA_DIR/jwt-secret`.',
  ),
  ACCESS_TOKEN_TTL_MS: milliseconds(900_000, 'Life of an access token.', 1000),
  REFRESH_TOKEN_TTL_MS: milliseconds(2_592_000_000, 'Life of a refresh token.', 1000),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
  }),
  LOG_RETENTION_DAYS: Type.Integer({
    minimum: 1,
    maximum: 3650,
    default: 30,
    description: 'How long what was logged is kept for `GET /v1/logs`. The audit is kept for ever.',
  }),
  LOG_BYTES_MAX: bytes(268_435_456, 'Size of what was logged, roughly; the oldest goes first.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: text(
    '',
    'Where traces and logs are sent over OTLP/HTTP: `http://host:4318` of a collector. Empty: nowhere, and nothing is loaded for it.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: secret('Headers for the collector: `name=value`, separated by commas.'),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.001,
    description: 'Share of the packets of which the whole way to the notification is traced.',
  }),
  SHUTDOWN_TIMEOUT_MS: milliseconds(
    15_000,
    'Deadline of a clean stop; after it the process exits all the same.',
  ),
} as const satisfies Record<string, TSchema>

const Config = Type.Object(SETTINGS)
const check = Compile(Config)

export type Config = Readonly<Static<typeof Config>>

/** All that is wrong with the settings, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `${problems.length} ${problems.length === 1 ? 'setting is' : 'settings are'} wrong:\n  ${problems.join('\n  ')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads the settings once. An empty variable counts as unset.
 * @throws ConfigError naming every setting that is wrong; values of secrets are never named
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.keys(SETTINGS).flatMap((key) => (env[key] ? [[key, env[key]]] : [])),
  )
  const config = Value.Convert(Config, Value.Default(Config, given))
  const problems = check.Errors(config).map((error) => {
    const key = error.instancePath.slice(1)
    return `${key} ${error.message}${isSecret(key) ? '' : ` (it is ${JSON.stringify(env[key])})`}`
  })
  problems.push(...relations(config as Config))
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])
  return Object.freeze(config as Config)
}

function relations(config: Config): string[] {
  const problems: string[] = deploymentProblems(config)
  if (Boolean(config.TLS_CERT_FILE) !== Boolean(config.TLS_KEY_FILE))
    problems.push('TLS_CERT_FILE and TLS_KEY_FILE go together: one of them is missing')
  if (config.GS1_COMPANY_PREFIX && !/^\d{7,10}$/.test(config.GS1_COMPANY_PREFIX))
    problems.push('GS1_COMPANY_PREFIX is not 7 to 10 digits')
  if (config.JWT_SECRET && config.JWT_SECRET.length < 32)
    problems.push('JWT_SECRET is shorter than 32 characters')
  if (config.ADMIN_PASSWORD && config.ADMIN_PASSWORD.length < 10)
    problems.push('ADMIN_PASSWORD is shorter than 10 characters')
  return problems
}

export function isSecret(key: string): boolean {
  const schema: object | undefined = SETTINGS[key as keyof typeof SETTINGS]
  return schema !== undefined && 'secret' in schema
}

/** The settings as they may be logged: secrets and the credentials inside of URLs are left out. */
export function redacted(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (isSecret(key)) return [key, value ? '[set]' : '']
      return [key, typeof value === 'string' ? value.replace(/\/\/[^@/]*@/, '//[redacted]@') : value]
    }),
  )
}
