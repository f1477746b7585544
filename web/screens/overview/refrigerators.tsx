import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { query } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Chip } from '../../controls/chip.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import { refrigeratorMessages } from '../refrigerators/messages.ts'
import { overviewMessages } from './messages.ts'
import styles from './overview.module.css'

const SHOWN_MAX = 20

/** What stands in a place that has none below it. */
export function Refrigerators({ facilityId }: { readonly facilityId: string }) {
  const t = useMessages(overviewMessages)
  const names = useMessages(refrigeratorMessages).states
  const format = useFormat()
  const rows = useQuery(query('listEquipmentStates', { query: { facilityId, limit: SHOWN_MAX } }))
  return (
    <section className={styles['need']}>
      <h2>{t.refrigerators}</h2>
      {rows.isPending && <Skeleton rows={2} />}
      {rows.isError && !rows.data && <ProblemNote problem={rows.error} onRetry={() => void rows.refetch()} />}
      {rows.data?.items.length === 0 && <p>{t.noEquipment}</p>}
      <ul className={styles['items']}>
        {rows.data?.items.map(({ id, name, state, celsius }) => (
          <li key={id}>
            <Link to="/refrigerators/$equipmentId" params={{ equipmentId: id }} className={page['name']}>
              {name}
            </Link>
            <p className={styles['chips']}>
              <Chip state={state}>{names[state]}</Chip>
            </p>
            {celsius !== null && (
              <p className={styles['facts']}>
                <strong>{format.value(celsius, 'temperature')}</strong>
              </p>
            )}
          </li>
        ))}
      </ul>
      {rows.data?.nextCursor != null && (
        <Link to="/refrigerators" search={{ facilityId }} className={styles['all']}>
          {t.allRefrigerators}
        </Link>
      )}
    </section>
  )
}
