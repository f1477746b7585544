import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { query, useMay } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Modal } from '../../controls/modal.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { CardEntry, Item } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { record } from '../../waiting.ts'
import { useAmount } from './describe.tsx'
import { stockMessages } from './messages.ts'
import { isMove } from './move.ts'
import styles from './stock.module.css'

const ROWS_MAX = 100

interface Props {
  readonly facilityId: string
  readonly itemId: string
  readonly item: Item | undefined
}

/** What happened to an item, the newest first. */
export function StockCard({ facilityId, itemId, item }: Props) {
  const t = useMessages(stockMessages)
  const mayReverse = useMay('reverseStockEvent')
  const [chosen, setChosen] = useState<CardEntry>()
  const card = useQuery(query('getStockCard', { query: { facilityId, itemId, limit: ROWS_MAX } }))
  const place = useQuery(query('getFacility', { params: { id: facilityId } })).data
  const entries = card.data?.items ?? []
  const reversed = new Set(entries.map(({ reversesEventId }) => reversesEventId))
  return (
    <section className={styles['panel']}>
      <h2>{t.card}</h2>
      {card.isLoading && <Skeleton rows={2} />}
      {card.isError && !card.data && <ProblemNote problem={card.error} onRetry={() => void card.refetch()} />}
      {card.data && entries.length === 0 && <p>{t.cardEmpty}</p>}
      <ul className={styles['plain']}>
        {entries.map((entry) => (
          <Entry
            key={`${entry.eventId} ${entry.line}`}
            entry={entry}
            timeZone={place?.timeZone ?? null}
            onReverse={
              mayReverse && isMove(entry.kind) && !reversed.has(entry.eventId)
                ? () => setChosen(entry)
                : undefined
            }
          />
        ))}
      </ul>
      {chosen && (
        <Reverse
          entry={chosen}
          facilityId={facilityId}
          itemId={itemId}
          about={`${item?.name ?? ''} · ${chosen.lotCode}`}
          onClose={() => setChosen(undefined)}
        />
      )}
    </section>
  )
}

interface EntryProps {
  readonly entry: CardEntry
  readonly timeZone: string | null
  readonly onReverse: (() => void) | undefined
}

function Entry({ entry, timeZone, onReverse }: EntryProps) {
  const t = useMessages(stockMessages)
  const format = useFormat()
  const { doses } = entry
  return (
    <li className={styles['event']}>
      <div>
        <strong>{t.kinds[entry.kind]}</strong> {entry.lotCode}
        <p className={page['soft']}>
          {format.time(entry.occurredAt, timeZone)} · {entry.documentNo}
        </p>
        {entry.comment !== null && <p>{entry.comment}</p>}
      </div>
      <div className={styles['amount']}>
        <strong>{doses > 0 ? `+${format.number(doses)}` : format.number(doses)}</strong>
        <p className={page['soft']}>{t.balance(format.number(entry.closing))}</p>
        {onReverse && (
          <Button kind="quiet" aria-label={`${t.reverse}: ${entry.documentNo}`} onPress={onReverse}>
            {t.reverse}
          </Button>
        )}
      </div>
    </li>
  )
}

interface ReverseProps {
  readonly entry: CardEntry
  readonly facilityId: string
  readonly itemId: string
  readonly about: string
  readonly onClose: () => void
}

function Reverse({ entry, facilityId, itemId, about, onClose }: ReverseProps) {
  const t = useMessages(stockMessages)
  const shell = useMessages(shellMessages)
  const amount = useAmount()
  const act = useMutation({
    networkMode: 'always',
    mutationFn: () =>
      record({
        facilityId,
        itemId,
        about,
        asked: { operation: 'reverseStockEvent', eventId: entry.eventId },
      }),
    onSuccess: (isSent) => {
      toast(isSent ? t.saved(about) : t.keptHere(about))
      onClose()
    },
  })
  return (
    <Modal isOpen title={`${t.reverse}: ${entry.documentNo}`} onClose={onClose}>
      {act.isError && <ProblemNote problem={act.error} />}
      <p>
        {t.kinds[entry.kind]}, {about}: {amount(undefined, Math.abs(entry.doses))}
      </p>
      <p>{t.reverseAsk}</p>
      <div className={styles['buttons']}>
        <Button kind="normal" onPress={onClose}>
          {shell.cancel}
        </Button>
        <Button kind="primary" isDisabled={act.isPending} onPress={() => act.mutate()}>
          {t.reverse}
        </Button>
      </div>
    </Modal>
  )
}
