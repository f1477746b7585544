import type { Logger } from 'pino'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Intake } from '../ports/intake.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Queue } from '../ports/queue.ts'
import type { Series } from '../ports/series.ts'

/** A command for a device, as it goes down to it. */
export interface Command {
  readonly method: string
  readonly params: unknown
}

export interface ApiDeps {
  readonly db: Db
  /** Where log entries are; it may be the same. */
  readonly logs: Db
  readonly series: Series
  readonly cache: Cache
  readonly intake: Intake
  /** For operators. */
  readonly queue: Pick<Queue, 'state' | 'parked' | 'findParked' | 'replay' | 'discard'>
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  /** Rejects when the command could not be put on its way. */
  readonly sendCommand: (deviceId: string, command: Command) => Promise<void>
  readonly settings: ApiSettings
}

export interface ApiSettings {
  /** Signs access tokens (HS256) and keys the hashes of idempotent requests. At least 32 characters. */
  readonly jwtSecret: string
  /** Default 15 minutes. */
  readonly accessTokenTtlMs?: number | undefined
  /** Default 30 days. */
  readonly refreshTokenTtlMs?: number | undefined
  /** Failed logins per user name in the window before the name has to wait. Default 10. */
  readonly loginTriesPerUserMax?: number | undefined
  /** Logins per address in the window. An office shares one. Default 100. */
  readonly loginTriesPerAddressMax?: number | undefined
  /** Default 5 minutes. */
  readonly loginWindowMs?: number | undefined
  /** How long an answer is kept under its Idempotency-Key. Default 24 hours. */
  readonly idempotencyTtlMs?: number | undefined
  /** GS1 company prefix, 7 to 10 digits, from which shipments get their SSCC. Empty: only those that are given one have one. */
  readonly gs1CompanyPrefix?: string | undefined
  /** Folder of the built website. Empty: none is served. */
  readonly websiteDir?: string | undefined
  /** Public VAPID key of Web Push. Empty: there is none. */
  readonly pushPublicKey?: string | undefined
  /** Live streams at once, in all and of one person. Defaults 1000 and 5. */
  readonly streamsMax?: number | undefined
  readonly streamsPerUserMax?: number | undefined
  /** What may wait for a client that reads slowly; beyond it the client is disconnected. Default 1 MiB, and one message more. */
  readonly streamBufferBytesMax?: number | undefined
  /** Default 15 s. */
  readonly streamHeartbeatMs?: number | undefined
  /** Default 1 hour. */
  readonly sweepEveryMs?: number | undefined
}

export type ResolvedSettings = { readonly [K in keyof ApiSettings]-?: NonNullable<ApiSettings[K]> }

/** What the routes get: the deps with every setting decided. */
export interface RouteDeps extends Omit<ApiDeps, 'settings'> {
  readonly settings: ResolvedSettings
}

const DEFAULTS = {
  accessTokenTtlMs: 900_000,
  refreshTokenTtlMs: 2_592_000_000,
  loginTriesPerUserMax: 10,
  loginTriesPerAddressMax: 100,
  loginWindowMs: 300_000,
  idempotencyTtlMs: 86_400_000,
  gs1CompanyPrefix: '',
  websiteDir: '',
  pushPublicKey: '',
  streamsMax: 1000,
  streamsPerUserMax: 5,
  streamBufferBytesMax: 1_048_576,
  streamHeartbeatMs: 15_000,
  sweepEveryMs: 3_600_000,
} as const satisfies Omit<ResolvedSettings, 'jwtSecret'>

export function resolve(deps: ApiDeps): RouteDeps {
  if (deps.settings.jwtSecret.length < 32) throw new Error('jwtSecret is shorter than 32 characters')
  const given = Object.fromEntries(Object.entries(deps.settings).filter(([, value]) => value !== undefined))
  return { ...deps, settings: { ...DEFAULTS, ...given, jwtSecret: deps.settings.jwtSecret } }
}
