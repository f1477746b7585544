import { Link } from '@tanstack/react-router'
import type { Span } from '../../controls/series.ts'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach } from '../../operations.ts'
import { KindChip } from '../breaches/describe.tsx'
import { useRuleName } from '../rules/describe.tsx'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

const SHOWN_MAX = 20

interface Props {
  readonly breaches: readonly Breach[]
  readonly span: Span
  readonly timeZone: string
}

/** The breaches of the time that is shown and when somebody took them in hand, in words. */
export function Happened({ breaches, span, timeZone }: Props) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const nameOf = useRuleName(breaches[0]?.equipmentId ?? null)
  const seen = breaches.filter(
    ({ startAt, endAt }) =>
      Date.parse(startAt) < span.to && (endAt === null || Date.parse(endAt) > span.from),
  )
  if (seen.length === 0) return undefined
  return (
    <details open={seen.length <= 3}>
      <summary>{t.happened(seen.length)}</summary>
      <ol className={styles['timeline']}>
        {seen.slice(0, SHOWN_MAX).map((breach) => (
          <li key={breach.id}>
            <KindChip breach={breach} />
            <Link to="/breaches/$breachId" params={{ breachId: breach.id }} className={styles['name']}>
              {nameOf(breach)}
            </Link>
            <span>
              {format.time(breach.startAt, timeZone)} –{' '}
              {breach.endAt === null ? t.goesOn : format.time(breach.endAt, timeZone)}
            </span>
            {breach.acknowledgedAt !== null && (
              <span>
                {t.acknowledged} {format.time(breach.acknowledgedAt, timeZone)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </details>
  )
}
