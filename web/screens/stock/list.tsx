import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { wholeList } from '../../api.ts'
import page from '../../controls/page.module.css'
import { AgeNote } from '../../controls/age-note.tsx'
import { Icon } from '../../controls/icon.tsx'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Item } from '../../operations.ts'
import { Arriving } from '../orders/arriving.tsx'
import { StatusChip, useAmount } from './describe.tsx'
import { byItem, type ItemStock } from './lines.ts'
import { stockMessages } from './messages.ts'
import styles from './stock.module.css'
import { useFormLists, useItems, usePlace, useStock } from './use-place.ts'
import { WaitingPanel } from './waiting-panel.tsx'

const route = getRouteApi('/stock')

export function StockList() {
  const t = useMessages(stockMessages)
  const { facilityId } = route.useSearch()
  const navigate = route.useNavigate()
  const place = usePlace(facilityId)
  const { stock, levels } = useStock(place)
  useFormLists(place)
  const isPaused = stock.fetchStatus === 'paused' && !stock.data
  const retry = () => {
    void stock.refetch()
    void levels.refetch()
  }
  return (
    <>
      <header className={page['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <div className={styles['filters']}>
        <PlacePicker
          label={t.place}
          value={facilityId}
          onChange={(chosen) => void navigate({ search: { facilityId: chosen } })}
        />
      </div>
      <WaitingPanel />
      <Arriving facilityId={place} />
      <AgeNote of={stock} />
      {!stock.data && (stock.isError || isPaused) && <ProblemNote problem={stock.error} onRetry={retry} />}
      {stock.isPending && !isPaused && <Skeleton rows={5} />}
      {stock.data && (
        <Rows
          stocks={byItem(stock.data.items, levels.data?.items ?? [])}
          isWhole={stock.data.isWhole && levels.data?.isWhole !== false}
        />
      )}
    </>
  )
}

function Rows({ stocks, isWhole }: { readonly stocks: readonly ItemStock[]; readonly isWhole: boolean }) {
  const t = useMessages(stockMessages)
  const items = useItems()
  const places = useQuery(wholeList('listFacilities', {})).data?.items ?? []
  const names = new Map(places.map(({ id, name }) => [id, name]))
  const isWide = new Set(stocks.map((one) => one.facilityId)).size > 1
  if (stocks.length === 0)
    return (
      <div className={page['empty']}>
        <Icon name="box" />
        <p>{t.nothing}</p>
        <ItemLinks items={[...items.values()]} />
      </div>
    )
  return (
    <>
      {!isWhole && <p>{t.partOnly}</p>}
      <ul className={styles['list']}>
        {stocks.map((one) => (
          <Row
            key={`${one.facilityId} ${one.itemId}`}
            of={one}
            item={items.get(one.itemId)}
            where={isWide ? names.get(one.facilityId) : undefined}
          />
        ))}
      </ul>
    </>
  )
}

/** Where a place has nothing yet, what it could have. */
function ItemLinks({ items }: { readonly items: readonly Item[] }) {
  const search = route.useSearch()
  return (
    <ul className={styles['links']}>
      {items.map(({ id, name }) => (
        <li key={id}>
          <Link to="/stock/$itemId" params={{ itemId: id }} search={search}>
            {name}
          </Link>
        </li>
      ))}
    </ul>
  )
}

interface RowProps {
  readonly of: ItemStock
  readonly item: Item | undefined
  readonly where: string | undefined
}

function Row({ of: { facilityId, itemId, doses, level, lines }, item, where }: RowProps) {
  const t = useMessages(stockMessages)
  const format = useFormat()
  const amount = useAmount()
  const { day: onDay } = useFormat()
  const first = lines.map(({ expiresOn }) => expiresOn).toSorted()[0]
  return (
    <li className={styles['row']} data-status={level?.status}>
      <div>
        <Link to="/stock/$itemId" params={{ itemId }} search={{ facilityId }} className={page['name']}>
          {item?.name ?? '…'}
        </Link>
        {where !== undefined && <p className={page['soft']}>{where}</p>}
        <p className={page['chips']}>
          <StatusChip level={level} />
        </p>
      </div>
      <dl className={page['facts']}>
        <div>
          <dt>{t.onHand}</dt>
          <dd className={page['strong']}>{amount(item, doses)}</dd>
        </div>
        {level && (
          <div>
            <dt>{t.minMax}</dt>
            <dd>
              {format.number(level.effectiveMinDoses)} – {format.number(level.effectiveMaxDoses)}
            </dd>
          </div>
        )}
        {first !== undefined && (
          <div>
            <dt>{t.nextExpiry}</dt>
            <dd>{onDay(first)}</dd>
          </div>
        )}
      </dl>
    </li>
  )
}
