import { test } from 'tap'
import { openVictoriaMetricsSeries } from '../../adapters/series/victoriametrics.ts'
import { seriesContract } from '../contracts/series.ts'
import { skipWithout } from '../services/required.ts'
import { hasVictoriaMetrics, startVictoriaMetrics } from '../services/victoriametrics.ts'

const skip = skipWithout('VictoriaMetrics', hasVictoriaMetrics)

if (skip) test('VictoriaMetrics series', { skip }, async () => {})
else
  seriesContract(
    'VictoriaMetrics series',
    async (t) => {
      const server = await startVictoriaMetrics()
      t.teardown(() => server.stop())
      return () => openVictoriaMetricsSeries({ url: server.url, flushEveryMs: 0 })
    },
    { significantDigits: 12 },
  )
