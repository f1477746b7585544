import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { query } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Bucket } from '../../operations.ts'
import { Chart, type Span } from './chart.tsx'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'
import { RANGES, type CurveSearch } from './routes.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const RANGE_MS = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS } as const
const SPAN_MS_MIN = 10 * MINUTE_MS
const SPAN_MS_MAX = 3650 * DAY_MS
/** As many as a wide screen has room for. */
const BUCKETS = 800
const TABLE_ROWS_MAX = 100
const BREACHES_MAX = 200
const route = getRouteApi('/refrigerators/$equipmentId')

interface Props {
  readonly deviceId: string
  readonly equipmentId: string
  readonly timeZone: string
}

/** The readings of a device over a time that is in the address. */
export function Curve({ deviceId, equipmentId, timeZone }: Props) {
  const t = useMessages(refrigeratorMessages)
  const span = spanOf(route.useSearch())
  const every = Math.max(MINUTE_MS, Math.ceil((span.to - span.from) / BUCKETS / MINUTE_MS) * MINUTE_MS)
  const readings = useQuery({
    ...query('listReadings', {
      params: { id: deviceId },
      query: {
        from: new Date(span.from).toISOString(),
        to: new Date(span.to).toISOString(),
        every: `${every / MINUTE_MS}m`,
      },
    }),
    placeholderData: keepPreviousData,
  })
  const rules = useQuery(query('listEquipmentRules', { params: { id: equipmentId } }))
  const breaches = useQuery(query('listBreaches', { query: { equipmentId, limit: BREACHES_MAX } }))
  const navigate = route.useNavigate()
  const show = ({ from, to }: Span) => void navigate({ search: { from, to }, replace: true })
  const buckets = (readings.data?.items ?? EMPTY).filter(isBucket)
  return (
    <section className={styles['panel']}>
      <h2>{t.curve}</h2>
      <Ranges span={span} onShow={show} />
      {readings.isPending && <Skeleton rows={3} />}
      {readings.isError && <ProblemNote problem={readings.error} onRetry={() => void readings.refetch()} />}
      {readings.data && buckets.length === 0 && <p>{t.noReadings}</p>}
      {buckets.length > 0 && (
        <>
          <Chart
            label={t.curve}
            buckets={buckets}
            span={span}
            timeZone={timeZone}
            limits={(rules.data?.items ?? [])
              .filter((one) => one.quantity === 'temperature' && one.measure === 'value' && !one.validTo)
              .map(({ threshold }) => threshold)}
            breaches={(breaches.data?.items ?? [])
              .filter(({ state }) => state !== 'withdrawn')
              .map(({ startAt, endAt }) => ({
                from: Date.parse(startAt),
                to: endAt === null ? Date.now() : Date.parse(endAt),
              }))}
            onSelect={show}
          />
          <p className={styles['where']}>{t.hint}</p>
          <Table buckets={buckets} timeZone={timeZone} />
        </>
      )}
    </section>
  )
}

const EMPTY: readonly Bucket[] = []

function isBucket(one: object): one is Bucket {
  return 'start' in one
}

/** Up to now in whole minutes, so that the same question is not asked anew at each drawing. */
function spanOf({ range = 'day', from, to }: CurveSearch): Span {
  if (from !== undefined && to !== undefined) return { from, to }
  const now = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS
  return { from: now - RANGE_MS[range], to: now }
}

function Ranges({ span, onShow }: { readonly span: Span; readonly onShow: (span: Span) => void }) {
  const t = useMessages(refrigeratorMessages)
  const navigate = route.useNavigate()
  const wide = span.to - span.from
  const around = (width: number) => {
    const kept = Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, width))
    const to = Math.min(Date.now(), Math.round((span.from + span.to + kept) / 2))
    onShow({ from: to - Math.round(kept), to })
  }
  const move = (by: number) => onShow({ from: span.from + by, to: span.to + by })
  return (
    <div className={styles['buttons']}>
      {RANGES.map((range) => (
        <Button key={range} kind="normal" onPress={() => void navigate({ search: { range }, replace: true })}>
          {t.ranges[range]}
        </Button>
      ))}
      <Button kind="normal" onPress={() => move(-Math.round(wide / 2))}>
        {t.earlier}
      </Button>
      <Button kind="normal" onPress={() => move(Math.round(wide / 2))}>
        {t.later}
      </Button>
      <Button kind="normal" onPress={() => around(wide / 2)}>
        {t.closer}
      </Button>
      <Button kind="normal" onPress={() => around(wide * 2)}>
        {t.wider}
      </Button>
    </div>
  )
}

/** The same for who does not see the curve; several neighbours in a row when there are many. */
function Table({ buckets, timeZone }: { readonly buckets: readonly Bucket[]; readonly timeZone: string }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const size = Math.ceil(buckets.length / TABLE_ROWS_MAX)
  const rows = Array.from({ length: Math.ceil(buckets.length / size) }, (_, row) =>
    buckets.slice(row * size, (row + 1) * size),
  )
  const value = (number: number) => format.value(number, 'temperature')
  return (
    <details>
      <summary>{t.table}</summary>
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">{t.time}</th>
            <th scope="col">{t.min}</th>
            <th scope="col">{t.mean}</th>
            <th scope="col">{t.max}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const count = row.reduce((sum, one) => sum + one.count, 0)
            const mean = row.reduce((sum, one) => sum + one.mean * one.count, 0) / count
            const start = row[0]?.start ?? ''
            return (
              <tr key={start}>
                <th scope="row">{format.time(start, timeZone)}</th>
                <td>{value(Math.min(...row.map(({ min }) => min)))}</td>
                <td>{value(mean)}</td>
                <td>{value(Math.max(...row.map(({ max }) => max)))}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </details>
  )
}
