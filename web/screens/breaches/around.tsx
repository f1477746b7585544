import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { isHigh, type Comparator } from '../../../domain/rule.ts'
import { QUANTITY_NAMES } from '../../../domain/reading.ts'
import { Chart } from '../../controls/chart.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import type { Span } from '../../controls/series.ts'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useMessages } from '../../messages.ts'
import type { BreachDetail } from '../../operations.ts'
import { useCurve, useSilentAfterMs } from '../refrigerators/readings.ts'
import { useTemperatureAt } from '../refrigerators/temperature-at.ts'
import styles from './breaches.module.css'
import { breachMessages } from './messages.ts'

const PAD_MS_MIN = 3_600_000
const PAD_SHARE = 0.25
const STEP_MS = 300_000

interface Props {
  readonly breach: BreachDetail
}

/** What was measured before, during and after a breach, with the limit that it is a breach of; of silence the temperature. */
export function Around({ breach }: Props) {
  if (breach.deviceId === null) return undefined
  return <Drawn breach={breach} deviceId={breach.deviceId} />
}

function Drawn({ breach, deviceId }: Props & { readonly deviceId: string }) {
  const t = useMessages(breachMessages)
  const { startAt, endAt, sensor, comparator, threshold, equipmentId, acknowledgedAt } = breach
  const timeZone = breach.timeZone ?? 'UTC'
  const judged = QUANTITY_NAMES.find((one) => one === breach.quantity)
  const quantity = judged ?? 'temperature'
  // In steps, so that the question stays the same for a while.
  const now = Math.ceil(Date.now() / STEP_MS) * STEP_MS
  const span = useMemo(() => around(startAt, endAt, now), [startAt, endAt, now])
  const silentAfterMs = useSilentAfterMs(deviceId)
  const { readings, curve } = useCurve({ deviceId, sensor, quantity }, span, silentAfterMs)
  const describe = useTemperatureAt(timeZone, quantity)
  const background = useMemo(() => {
    const from = Date.parse(startAt)
    const limit = { value: threshold ?? 0, isHigh: isHigh({ comparator: comparator as Comparator }) }
    return {
      limits: judged && threshold !== null ? [{ ...limit, from: -Infinity, to: Infinity }] : [],
      breaches: [{ from, to: endAt === null ? now : Date.parse(endAt) }],
      marks: acknowledgedAt === null ? [] : [Date.parse(acknowledgedAt)],
    }
  }, [startAt, endAt, now, threshold, comparator, judged, acknowledgedAt])
  return (
    <section className={styles['panel']}>
      <h2>{t.around}</h2>
      {readings.isError && <ProblemNote problem={readings.error} onRetry={() => void readings.refetch()} />}
      {readings.isPending && <Skeleton rows={2} />}
      {readings.data?.items.length === 0 && <p>{t.nothingMeasured}</p>}
      {curve && readings.data?.items.length !== 0 && (
        <Chart
          label={t.measured}
          size="middle"
          plotted={curve}
          {...{ span, timeZone, describe, ...background }}
        />
      )}
      {equipmentId !== null && (
        <Link
          to="/refrigerators/$equipmentId"
          params={{ equipmentId }}
          search={span}
          className={styles['link']}
        >
          {t.refrigerator}
        </Link>
      )}
    </section>
  )
}

function around(startAt: string, endAt: string | null, now: number): Span {
  const from = Date.parse(startAt)
  const to = endAt === null ? now : Date.parse(endAt)
  const pad = Math.max(PAD_MS_MIN, (to - from) * PAD_SHARE)
  return { from: Math.round(from - pad), to: Math.round(Math.min(now, to + pad)) }
}
