import type { FastifyPluginAsync } from 'fastify'
import type { Logger } from 'pino'
import { whyNotReady } from '../db/ping.ts'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Intake } from '../ports/intake.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Part } from '../ports/part.ts'
import type { Queue } from '../ports/queue.ts'
import type { Series } from '../ports/series.ts'
import type { Tracer } from '../ports/trace.ts'
import { createIntake } from './accept.ts'
import { rememberChildren } from './children.ts'
import { createGroup } from './group.ts'
import { startPurge } from './purge.ts'
import { intakeRoutes } from './intake-routes.ts'
import { ingestRoutes } from './routes.ts'
import { INGEST_DEFAULTS, type IngestSettings } from './settings.ts'
import { startStore } from './store.ts'

export interface IngestDeps {
  readonly queue: Queue
  readonly series: Series
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly tracer?: Tracer | undefined
  /** Those left out have the defaults of `INGEST_DEFAULTS`. */
  readonly settings?: Partial<IngestSettings>
}

export interface Ingest extends Part {
  readonly intake: Intake
}

/** Starts the intake and the drain into the series store. Its promises are in README.md. */
export async function startIngest(given: IngestDeps): Promise<Ingest> {
  const deps = { ...given, settings: { ...INGEST_DEFAULTS, ...given.settings } }
  const purge = startPurge(deps)
  const store = startStore({ ...deps, refusalsKept: purge.kept })
  const children = rememberChildren(deps)
  const group = createGroup(deps)
  const intake = createIntake({ ...deps, group, children })
  return {
    name: 'ingest',
    intake,
    routes: routesOf({ ...deps, intake }),
    ready: () => problemOf(deps),
    async stop() {
      intake.stop()
      await group.drained()
      await store.stop()
      await purge.stop()
      children.stop()
    },
  }
}

function routesOf(deps: IngestDeps & { intake: Intake; settings: IngestSettings }): FastifyPluginAsync {
  return async (app) => {
    await app.register(ingestRoutes(deps))
    if (deps.settings.intakeToken !== '') await app.register(intakeRoutes(deps))
  }
}

async function problemOf({ series, db }: IngestDeps): Promise<string | undefined> {
  try {
    await series.ping()
  } catch {
    return 'The series store does not answer.'
  }
  return whyNotReady(db)
}
