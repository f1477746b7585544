import { Chip, type State } from '../../controls/chip.tsx'
import type { IconName } from '../../controls/icon.tsx'
import { useMessages } from '../../messages.ts'
import type { Item, OnHand, StockLevel } from '../../operations.ts'
import { today, vialsOf } from './lines.ts'
import { stockMessages } from './messages.ts'

const STATUSES: Readonly<Record<StockLevel['status'], readonly [State, IconName]>> = {
  'stock-out': ['warm', 'alarm'],
  'below-min': ['silent', 'down'],
  ok: ['in-range', 'check'],
  'above-max': ['cold', 'up'],
}

export function StatusChip({ level }: { readonly level: StockLevel | undefined }) {
  const t = useMessages(stockMessages)
  if (!level) return <Chip state="unknown">{t.statuses.none}</Chip>
  const [state, icon] = STATUSES[level.status]
  return (
    <Chip state={state} icon={icon}>
      {t.statuses[level.status]}
    </Chip>
  )
}

/** What a person must know of a lot before they take of it. */
export function LotChips({ line, item }: { readonly line: OnHand; readonly item: Item | undefined }) {
  const t = useMessages(stockMessages)
  return (
    <>
      {line.expiresOn < today() && (
        <Chip state="warm" icon="alarm">
          {t.expired}
        </Chip>
      )}
      {item?.vvmType != null && (
        <Chip
          state={line.vvmStage > 2 ? 'warm' : line.vvmStage === 2 ? 'silent' : 'in-range'}
          icon={line.vvmStage > 2 ? 'alarm' : line.vvmStage === 2 ? 'up' : 'check'}
        >
          {t.vvm(line.vvmStage)}
        </Chip>
      )}
      {line.held && (
        <Chip state="silent" icon="alarm">
          {t.held}
        </Chip>
      )}
    </>
  )
}

/** Doses, and the vials that they are in. */
export function useAmount() {
  const t = useMessages(stockMessages)
  return (item: Item | undefined, doses: number): string => {
    const vials = vialsOf(item, doses)
    return vials === undefined ? t.doses(doses) : `${t.doses(doses)} (${t.vials(vials)})`
  }
}
