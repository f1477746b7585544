import type { Logger } from 'pino'
import { whyNotReady } from '../db/ping.ts'
import type { Db } from '../db/schema.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { NoticeChannel } from '../ports/notice.ts'
import type { Part } from '../ports/part.ts'
import type { Queue } from '../ports/queue.ts'
import type { Series } from '../ports/series.ts'
import type { Tracer } from '../ports/trace.ts'
import { FORECAST_DEFAULTS, startForecast, type ForecastSettings } from './forecast.ts'
import { startJudge } from './judge.ts'
import { startRuleChanges } from './rule-changes.ts'
import { startTell, TELL_DEFAULTS, type TellSettings } from './tell.ts'
import { startWatch, type WatchSettings } from './watch.ts'

export { TELL_DEFAULTS, type TellSettings } from './tell.ts'

export interface NotifierDeps {
  readonly queue: Queue
  readonly series: Series
  readonly db: Db
  readonly cache: Cache
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly tracer?: Tracer | undefined
  /** Opened and closed by the caller; empty: breaches are found, and nobody is told. */
  readonly channels: readonly NoticeChannel[]
  /** What is left out has its default. */
  readonly settings: Partial<TellSettings> &
    Partial<WatchSettings> &
    Partial<ForecastSettings> &
    Parameters<typeof startJudge>[0]['settings']
}

/** Starts finding breaches and telling people. See README.md for what it promises. */
export async function startNotifier(deps: NotifierDeps): Promise<Part> {
  const { settings, channels, ...shared } = deps
  const watch = startWatch({ ...shared, settings })
  const forecast = startForecast({ ...shared, settings: { ...FORECAST_DEFAULTS, ...settings } })
  const judge = await startJudge({ ...shared, watch, forecast, settings })
  const ruleChanges = startRuleChanges(shared)
  const tell = await startTell({ ...shared, channels, settings: { ...TELL_DEFAULTS, ...settings } })
  return {
    name: 'notifier',
    async ready() {
      return (await whyNotReady(deps.db)) ?? (await judge.ready()) ?? watch.ready() ?? (await tell.ready())
    },
    async stop() {
      await tell.stop()
      await ruleChanges.stop()
      await judge.stop()
      await watch.stop()
      await forecast.stop()
    },
  }
}
