import type { Span } from '../../controls/series.ts'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Bucket } from '../../operations.ts'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

const ROWS_MAX = 100
const GAPS_MAX = 50

interface Props {
  readonly buckets: readonly Bucket[]
  readonly gaps: readonly Span[]
  readonly timeZone: string
}

/** The curve for who does not see it; several neighbours in a row when there are many. */
export function Table({ buckets, gaps, timeZone }: Props) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const size = Math.ceil(buckets.length / ROWS_MAX)
  const rows = Array.from({ length: size === 0 ? 0 : Math.ceil(buckets.length / size) }, (_, row) =>
    buckets.slice(row * size, (row + 1) * size),
  )
  const time = (ms: number) => format.time(new Date(ms).toISOString(), timeZone)
  const value = (number: number) => format.value(number, 'temperature')
  return (
    <details>
      <summary>{t.table}</summary>
      <ul className={styles['plain']}>
        {gaps.slice(-GAPS_MAX).map(({ from, to }) => (
          <li key={from}>
            {t.legend.gap}: {time(from)} – {time(to)}
          </li>
        ))}
      </ul>
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
