import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../api.ts'
import page from '../../controls/page.module.css'
import { AgeNote } from '../../controls/age-note.tsx'
import { Button } from '../../controls/button.tsx'
import { Icon } from '../../controls/icon.tsx'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Item, OnHand } from '../../operations.ts'
import { StockCard } from './card.tsx'
import { LotChips, StatusChip, useAmount } from './describe.tsx'
import { inOrderOfUse, lineKey } from './lines.ts'
import { stockMessages } from './messages.ts'
import { MoveForm } from './move-form.tsx'
import { MOVES, type Move } from './routes.ts'
import styles from './stock.module.css'
import { useFormLists, useItems, usePlace, useStock } from './use-place.ts'
import { WaitingPanel } from './waiting-panel.tsx'

const route = getRouteApi('/stock/$itemId')

export function StockItem() {
  const t = useMessages(stockMessages)
  const { itemId } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const place = usePlace(search.facilityId)
  const item = useItems().get(itemId)
  const { levels } = useStock(place)
  const level = levels.data?.items.find((one) => one.itemId === itemId && one.facilityId === place)
  return (
    <>
      <Link to="/stock" search={{ facilityId: search.facilityId }} className={page['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={page['head']}>
        <h1>{item?.name ?? '…'}</h1>
        <p className={page['chips']}>
          <StatusChip level={level} />
        </p>
      </header>
      <div className={styles['filters']}>
        <PlacePicker
          label={t.place}
          value={search.facilityId}
          onChange={(facilityId) => void navigate({ search: { facilityId } })}
        />
      </div>
      {place === undefined ? <p>{t.noPlace}</p> : <ItemAt facilityId={place} itemId={itemId} item={item} />}
    </>
  )
}

interface AtProps {
  readonly facilityId: string
  readonly itemId: string
  readonly item: Item | undefined
}

function ItemAt({ facilityId, itemId, item }: AtProps) {
  const { stock } = useStock(facilityId)
  useFormLists(facilityId)
  const lines = linesOf(stock.data?.items ?? [], itemId, facilityId)
  return (
    <>
      <Moves facilityId={facilityId} itemId={itemId} />
      <WaitingPanel />
      <AgeNote of={stock} />
      {!stock.data && stock.isError && (
        <ProblemNote problem={stock.error} onRetry={() => void stock.refetch()} />
      )}
      {stock.isLoading && <Skeleton rows={3} />}
      <Lots lines={lines} item={item} />
      <StockCard facilityId={facilityId} itemId={itemId} item={item} />
    </>
  )
}

function linesOf(all: readonly OnHand[], itemId: string, place: string | undefined): OnHand[] {
  return inOrderOfUse(
    all.filter((line) => line.itemId === itemId && line.facilityId === place && line.doses > 0),
  )
}

/** What can be done; a scan or a link opens one of it. */
function Moves({ facilityId, itemId }: { readonly facilityId: string; readonly itemId: string }) {
  const t = useMessages(stockMessages)
  const { move, lotId } = route.useSearch()
  const navigate = route.useNavigate()
  const may = useMay('recordStockEvent')
  const [open, setOpen] = useState<Move | undefined>(move)
  if (!may) return undefined
  const close = () => {
    setOpen(undefined)
    if (move) void navigate({ search: { facilityId }, replace: true })
  }
  return (
    <div className={styles['buttons']}>
      {MOVES.map((one, index) => (
        <Button key={one} kind={index === 0 ? 'primary' : 'normal'} onPress={() => setOpen(one)}>
          {t.moves[one]}
        </Button>
      ))}
      {open && <MoveForm move={open} facilityId={facilityId} itemId={itemId} lotId={lotId} onClose={close} />}
    </div>
  )
}

function Lots({ lines, item }: { readonly lines: readonly OnHand[]; readonly item: Item | undefined }) {
  const t = useMessages(stockMessages)
  const amount = useAmount()
  const { day: onDay } = useFormat()
  if (lines.length === 0) return undefined
  return (
    <section className={styles['panel']}>
      <h2>{t.lots}</h2>
      <ul className={styles['plain']}>
        {lines.map((line) => (
          <li key={lineKey(line)} className={styles['event']}>
            <div>
              <strong>{line.lotCode}</strong> <span>{t.expires(onDay(line.expiresOn))}</span>
              <p className={page['chips']}>
                <LotChips line={line} item={item} />
              </p>
            </div>
            <div className={styles['amount']}>
              <strong>{amount(item, line.doses)}</strong>
              {(line.allocated ?? 0) > 0 && (
                <p className={page['soft']}>{t.promised(t.doses(line.allocated ?? 0))}</p>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}
