import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { wholeList } from '../../api.ts'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { OnHand } from '../../operations.ts'
import { LotChips } from '../stock/describe.tsx'
import { inOrderOfUse, lineKey } from '../stock/lines.ts'
import { useItems } from '../stock/use-place.ts'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

/** The lots in it, what is used first before the others. */
export function Inside({ storagePointId }: { readonly storagePointId: string | null }) {
  const t = useMessages(refrigeratorMessages)
  const stock = useQuery({
    ...wholeList('listStock', { storagePointId: storagePointId ?? '' }),
    enabled: storagePointId !== null,
  })
  const lots = stock.data && inOrderOfUse(stock.data.items.filter(({ doses }) => doses > 0))
  return (
    <section className={styles['panel']}>
      <h2>{t.inside}</h2>
      {storagePointId === null && <p>{t.noStoragePoint}</p>}
      {stock.isLoading && <Skeleton rows={1} />}
      {stock.isError && <ProblemNote problem={stock.error} onRetry={() => void stock.refetch()} />}
      {lots?.length === 0 && <p>{t.nothingInside}</p>}
      {lots && lots.length > 0 && <Lots lots={lots} />}
    </section>
  )
}

function Lots({ lots }: { readonly lots: readonly OnHand[] }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const items = useItems()
  const doses = lots.reduce((sum, one) => sum + one.doses, 0)
  return (
    <>
      <p>{t.dosesInside(doses)}</p>
      <ul className={styles['plain']}>
        {lots.map((lot) => (
          <li key={lineKey(lot)} className={styles['lot']}>
            <div>
              <Link
                to="/stock/$itemId"
                params={{ itemId: lot.itemId }}
                search={{ facilityId: lot.facilityId }}
                className={styles['name']}
              >
                {items.get(lot.itemId)?.name ?? lot.lotCode}
              </Link>
              <p className={styles['where']}>
                {t.lot} {lot.lotCode} · {t.expires} {format.day(lot.expiresOn)}
              </p>
              <p className={styles['chips']}>
                <LotChips line={lot} item={items.get(lot.itemId)} />
              </p>
            </div>
            <p>
              <strong>{format.number(lot.doses)}</strong> {t.dosesUnit}
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}
