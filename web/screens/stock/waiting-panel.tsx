import { useState } from 'react'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { Modal } from '../../controls/modal.tsx'
import { useFormat } from '../../format.ts'
import type { Refusal, Waiting } from '../../kept.ts'
import { useMessages } from '../../messages.ts'
import { discard, useWaiting } from '../../waiting.ts'
import { stockMessages } from './messages.ts'
import { MoveForm } from './move-form.tsx'
import { isMove } from './move.ts'
import styles from './stock.module.css'

/** What was done on this device and is not with the server yet, and what the server did not accept. */
export function WaitingPanel() {
  const t = useMessages(stockMessages)
  const waiting = useWaiting()
  if (waiting.length === 0) return undefined
  const blocked = new Set(waiting.filter(({ refusal }) => refusal).map(({ facilityId }) => facilityId))
  return (
    <section className={styles['waiting']} aria-label={t.waiting(waiting.length)}>
      <h2>{t.waiting(waiting.length)}</h2>
      <p>{t.waitingLead}</p>
      <ul className={styles['plain']}>
        {waiting.map((one) => (
          <WaitingRow key={one.id} one={one} isBehind={!one.refusal && blocked.has(one.facilityId)} />
        ))}
      </ul>
    </section>
  )
}

function Queued({ isBehind }: { readonly isBehind: boolean }) {
  const t = useMessages(stockMessages)
  return (
    <p className={page['chips']}>
      <Chip state="silent" icon="clock">
        {isBehind ? t.waitingBehind : t.waitingChip}
      </Chip>
    </p>
  )
}

/** Why, and what to do about it. */
function Refused({ refusal }: { readonly refusal: Refusal }) {
  const t = useMessages(stockMessages)
  const advice: Readonly<Record<string, string>> = t.advice
  return (
    <div role="alert">
      <p className={page['chips']}>
        <Chip state="warm" icon="alarm">
          {t.refused}
        </Chip>
      </p>
      <p className={page['strong']}>{refusal.title}</p>
      <p>{advice[refusal.code] ?? t.advice.other}</p>
      <p className={page['soft']}>{t.refusedLead}</p>
    </div>
  )
}

function WaitingRow({ one, isBehind }: { readonly one: Waiting; readonly isBehind: boolean }) {
  const t = useMessages(stockMessages)
  const format = useFormat()
  const [open, setOpen] = useState<'edit' | 'discard'>()
  const { asked, refusal } = one
  const kind = asked.operation === 'reverseStockEvent' ? 'reversal' : asked.body.kind
  return (
    <li className={styles['event']}>
      <div>
        <strong>
          {t.kinds[kind]}: {one.about}
        </strong>
        <p className={page['soft']}>{format.time(new Date(one.madeAt).toISOString(), null)}</p>
        {refusal ? <Refused refusal={refusal} /> : <Queued isBehind={isBehind} />}
      </div>
      <div className={styles['buttons']}>
        {refusal && isMove(kind) && (
          <Button kind="normal" onPress={() => setOpen('edit')}>
            {t.edit}
          </Button>
        )}
        <Button kind="quiet" aria-label={`${t.discard}: ${one.about}`} onPress={() => setOpen('discard')}>
          {t.discard}
        </Button>
      </div>
      {open === 'edit' && isMove(kind) && (
        <MoveForm
          move={kind}
          facilityId={one.facilityId}
          itemId={one.itemId}
          again={one}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'discard' && (
        <Modal isOpen title={`${t.kinds[kind]}: ${one.about}`} onClose={() => setOpen(undefined)}>
          <p>{t.discardAsk}</p>
          <div className={styles['buttons']}>
            <Button kind="normal" onPress={() => setOpen(undefined)}>
              {t.back}
            </Button>
            <Button kind="primary" onPress={() => void discard(one.id)}>
              {t.discard}
            </Button>
          </div>
        </Modal>
      )}
    </li>
  )
}
