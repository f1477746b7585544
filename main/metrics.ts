import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { METRICS, type MetricName, type Metrics } from '../ports/metrics.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const COUNTS = [1, 10, 50, 100, 250, 500, 1000, 2000, 5000]
// From a batch that passes through at once to a backlog of a day.
const LAGS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400]

// Gauges that prom-client names like counters; what they say is in `nodejs_active_resources` and its like, by type.
const MISNAMED = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
]

export interface PromMetrics extends Metrics {
  readonly contentType: string
  /** The text that Prometheus scrapes. */
  scrape(): Promise<string>
  /** Runs `read` right before each scrape: for gauges that somebody else knows the value of. */
  beforeScrape(read: () => void | Promise<void>): void
}

/** Creates every metric of `ports/metrics.ts` on a registry of its own, with those of the process. */
export function createMetrics(): PromMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  for (const [name, [kind, help, labels]] of Object.entries(METRICS)) {
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    if (kind === 'counter') counters.set(name, new Counter(options))
    else if (kind === 'gauge') gauges.set(name, new Gauge(options))
    else histograms.set(name, new Histogram({ ...options, buckets: bucketsOf(name) }))
  }
  const readers: (() => void | Promise<void>)[] = []
  return {
    contentType: registry.contentType,
    count: (name, labels, by = 1) => known(counters, name).inc(labels, by),
    set: (name, labels, value) => known(gauges, name).set(labels, value),
    observe: (name, labels, value) => known(histograms, name).observe(labels, value),
    beforeScrape: (read) => void readers.push(read),
    async scrape() {
      await Promise.all(readers.map((read) => read()))
      return registry.metrics()
    },
  }
}

function bucketsOf(name: string): number[] {
  if (name === 'coldstream_lag_seconds') return LAGS
  return name.endsWith('_seconds') ? SECONDS : COUNTS
}

function known<T>(metrics: ReadonlyMap<string, T>, name: MetricName): T {
  const metric = metrics.get(name)
  if (!metric) throw new Error(`${name} is not of this kind; see ports/metrics.ts`)
  return metric
}
