import type { Reading } from '../domain/reading.ts'
import { latestKey } from '../ports/cache.ts'
import type { RouteDeps } from './deps.ts'
import { readingView } from './device-view.ts'

/** In case the cache could not be told of a newer one. */
const LATEST_TTL_MS = 30_000

/** The newest reading of each sensor, remembered until another one is stored. */
export async function latestOf({ series, cache }: Pick<RouteDeps, 'series' | 'cache'>, deviceId: string) {
  const readings = await cache.remember(latestKey(deviceId), LATEST_TTL_MS, async () =>
    JSON.stringify(await series.latest(deviceId)),
  )
  return (JSON.parse(readings) as Reading[]).map((reading) => readingView(reading))
}
