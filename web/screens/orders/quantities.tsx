import { useState } from 'react'
import { Chip } from '../../controls/chip.tsx'
import { Choice } from '../../controls/choice.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import page from '../../controls/page.module.css'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Lack } from '../../operations.ts'
import { useAmount } from '../stock/describe.tsx'
import { useItems } from '../stock/use-place.ts'
import { orderMessages } from './messages.ts'

/** By item; NaN while a field is empty. */
export type Doses = ReadonlyMap<string, number>

interface Props {
  readonly lacks: readonly Lack[]
  readonly isSuggested: boolean
  readonly doses: Doses
  readonly onChange: (doses: Doses) => void
}

/** How much of each item, with what is suggested and why. What lacks comes first. */
export function Quantities({ lacks, isSuggested, doses, onChange }: Props) {
  const t = useMessages(orderMessages)
  const items = useItems()
  const [added, setAdded] = useState<readonly string[]>([])
  const byItem = new Map(lacks.map((lack) => [lack.itemId, lack]))
  const sorted = lacks.toSorted((a, b) => b.suggested - a.suggested).map(({ itemId }) => itemId)
  const shown = [...new Set([...sorted, ...doses.keys(), ...added])]
  const others = [...items.values()].filter(
    ({ id, archivedAt }) => archivedAt === null && !shown.includes(id),
  )
  return (
    <section className={page['panel']}>
      <h2>{t.form.quantities}</h2>
      {isSuggested && <p>{lacks.length > 0 ? t.form.suggestedLead : t.form.noLevels}</p>}
      <ul className={page['plain']}>
        {shown.map((itemId) => (
          <Quantity
            key={itemId}
            itemId={itemId}
            lack={byItem.get(itemId)}
            doses={doses.get(itemId) ?? NaN}
            onChange={(n) => onChange(new Map([...doses, [itemId, n]]))}
          />
        ))}
      </ul>
      {others.length > 0 && (
        <div className={page['filters']}>
          <Choice
            label={t.form.add}
            options={[
              { value: '', label: t.form.choose },
              ...others.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            value=""
            onChange={(id) => id !== '' && setAdded([...added, id])}
          />
        </div>
      )}
    </section>
  )
}

interface QuantityProps {
  readonly itemId: string
  readonly lack: Lack | undefined
  readonly doses: number
  readonly onChange: (doses: number) => void
}

function Quantity({ itemId, lack, doses, onChange }: QuantityProps) {
  const t = useMessages(orderMessages)
  const format = useFormat()
  const amount = useAmount()
  const item = useItems().get(itemId)
  const hints = [
    lack &&
      t.form.why(format.number(lack.maxDoses), format.number(lack.onHand), format.number(lack.inTransit)),
    Number.isNaN(doses) ? undefined : amount(item, doses),
  ]
  return (
    <li className={page['entry']}>
      <NumberField
        label={item?.name ?? '…'}
        value={doses}
        onChange={onChange}
        hint={hints.filter((hint) => hint !== undefined).join('. ')}
      />
      {lack && (
        <p className={page['chips']}>
          {lack.suggested > 0 ? (
            <Chip state="silent" icon="down">
              {t.form.suggested(amount(item, lack.suggested))}
            </Chip>
          ) : (
            <Chip state="in-range">{t.form.enough}</Chip>
          )}
        </p>
      )}
    </li>
  )
}
