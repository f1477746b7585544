import { dayIn } from '../../../domain/calendar.ts'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { query } from '../../api.ts'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Segments } from '../../controls/segments.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Exposure as Row } from '../../operations.ts'
import { usePreferences } from '../../preferences.ts'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

const UNITS = ['day', 'month'] as const
type Unit = (typeof UNITS)[number]
const DAY_MS = 86_400_000
const DAYS_BACK = { day: 13, month: 330 } as const
const WELL_KNOWN = 0.99

interface Props {
  readonly equipmentId: string
  readonly timeZone: string
}

/** What it went through, the newest day or month first: what a decision about vaccines is made by. */
export function Exposure({ equipmentId, timeZone }: Props) {
  const t = useMessages(refrigeratorMessages)
  const [every, setEvery] = useState<Unit>('day')
  const rows = useQuery({
    ...query('getEquipmentExposure', {
      params: { id: equipmentId },
      query: { every, from: dayIn(timeZone, Date.now() - DAYS_BACK[every] * DAY_MS) },
    }),
    staleTime: 60_000,
  })
  const known = rows.data?.items.filter(({ readings }) => readings > 0).toReversed()
  return (
    <section className={styles['panel']}>
      <h2>{t.exposure}</h2>
      <Segments
        label={t.exposure}
        options={UNITS.map((value) => ({ value, label: t.by[value] }))}
        value={every}
        onChange={setEvery}
      />
      {rows.isPending && <Skeleton rows={2} />}
      {rows.isError && <ProblemNote problem={rows.error} onRetry={() => void rows.refetch()} />}
      {known?.length === 0 && <p>{t.noReadings}</p>}
      {known && known.length > 0 && <Rows rows={known} />}
    </section>
  )
}

function Rows({ rows }: { readonly rows: readonly Row[] }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const { language } = usePreferences()
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', timeZone: 'UTC' })
  const isMany = new Set(rows.map(({ deviceId, sensor }) => `${deviceId} ${sensor}`)).size > 1
  const span = (minutes: number) => (minutes === 0 ? '–' : format.span(minutes * 60))
  const value = (celsius: number | null) => (celsius === null ? '–' : format.value(celsius, 'temperature'))
  return (
    <div className={styles['wide']} tabIndex={0} role="group" aria-label={t.exposure}>
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">{t.period}</th>
            <th scope="col">{t.inRange}</th>
            <th scope="col">{t.tooWarm}</th>
            <th scope="col">{t.tooCold}</th>
            <th scope="col">
              <abbr title={t.mktLong}>{t.mkt}</abbr>
            </th>
            <th scope="col">{t.minMax}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.period} ${row.deviceId} ${row.sensor}`}>
              <th scope="row">
                {row.period.length === 7 ? format.day(row.period) : day.format(new Date(row.period))}
                {isMany && ` · ${row.deviceName} ${row.sensor}`}
              </th>
              <td>
                {row.shareInRange === null ? '–' : share.format(row.shareInRange)}
                {row.coverage !== null && row.coverage < WELL_KNOWN && (
                  <small> {t.known(share.format(row.coverage))}</small>
                )}
              </td>
              <td>{span(row.minutesAbove)}</td>
              <td>{span(row.minutesBelow)}</td>
              <td>{value(row.mkt)}</td>
              <td>
                {value(row.min)} / {value(row.max)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
