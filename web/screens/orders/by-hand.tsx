import { useState } from 'react'
import { Form } from 'react-aria-components'
import { call } from '../../api.ts'
import { Modal } from '../../controls/modal.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { OnHand, Operations, Order } from '../../operations.ts'
import { useAmount } from '../stock/describe.tsx'
import { inOrderOfUse, isUsable, today } from '../stock/lines.ts'
import { useItems, useStock } from '../stock/use-place.ts'
import { keyOf, useSpot } from './allocations.tsx'
import { Buttons } from './decide.tsx'
import { ReasonChoice } from './describe.tsx'
import { orderMessages } from './messages.ts'
import { OUTDATED } from './use-orders.ts'

type Line = Order['lines'][number]
type Answer = Operations['allocateOrder']['response']

interface Props {
  readonly order: Order
  /** Those of which something is left to send. */
  readonly lines: readonly Line[]
  readonly onPassedOver: (passedOver: Answer['passedOver']) => void
  readonly onClose: () => void
}

/** Doses by line and stock: `line key`. */
type Chosen = ReadonlyMap<string, number>

/** Chosen by a person in place of the rule. Lines that are left as they are stay as they were chosen: by the rule, or for the reason given then. */
export function ByHand({ order, lines, onPassedOver, onClose }: Props) {
  const t = useMessages(orderMessages)
  const [changed, setChanged] = useState<Chosen>(new Map())
  const [reasonCode, setReasonCode] = useState('')
  const { stock } = useStock(order.fromFacilityId)
  const offers = new Map(
    lines.map((line) => [line.line, offersOf(order, line, stock.data?.items ?? [])] as const),
  )
  const asked = lines.flatMap((line) => askedOf(line, offers.get(line.line) ?? [], changed, reasonCode))
  const isTooMuch = lines.some((line) => chosenOf(line, offers.get(line.line) ?? [], changed) > needOf(line))
  const act = useOnce(
    (key: string) => call('allocateOrder', { params: { id: order.id }, body: { lines: asked }, key }),
    {
      outdates: OUTDATED,
      onDone: (answer) => {
        onPassedOver(answer.passedOver)
        toast(t.done.allocate(order.documentNo))
        onClose()
      },
    },
  )
  return (
    <Modal isOpen title={`${t.allocate.byHand}: ${order.documentNo}`} onClose={onClose}>
      <Form
        className={page['form'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate(undefined)
        }}
      >
        {lines.map((line) => (
          <HandLine
            key={line.line}
            line={line}
            facilityId={order.fromFacilityId}
            offers={offers.get(line.line) ?? []}
            changed={changed}
            onChange={(key, doses) => setChanged(new Map([...changed, [key, doses]]))}
          />
        ))}
        <ReasonChoice
          label={t.allocate.overrideReason}
          kind={order.kind === 'return' ? 'return' : 'override'}
          value={reasonCode}
          onChange={setReasonCode}
        />
        {isTooMuch && <p role="alert">{t.allocate.tooMuch}</p>}
        {act.isError && <ProblemNote problem={act.error} />}
        <Buttons
          submit={t.allocate.save}
          isDisabled={act.isPending || isTooMuch || reasonCode === '' || changed.size === 0}
          onClose={onClose}
        />
      </Form>
    </Modal>
  )
}

interface Offer {
  readonly of: OnHand
  /** What this order may have of it. */
  readonly available: number
  /** What it is promised now. */
  readonly promised: number
}

function offersOf(order: Order, line: Line, stock: readonly OnHand[]): Offer[] {
  const there = stock.filter(
    (one) => one.facilityId === order.fromFacilityId && one.itemId === line.itemId && one.doses > 0,
  )
  const promised = new Map(line.allocations.map((one) => [keyOf(one), one.doses]))
  return inOrderOfUse(there)
    .filter((one) => order.kind === 'return' || isUsable(one, today()))
    .map((of) => {
      const mine = promised.get(keyOf(of)) ?? 0
      return { of, promised: mine, available: (of.available ?? 0) + mine }
    })
    .filter(({ available }) => available > 0)
}

function needOf({ approved, shipped }: Line): number {
  return (approved ?? 0) - shipped
}

function dosesOf(line: Line, { of, promised }: Offer, changed: Chosen): number {
  const doses = changed.get(`${line.line} ${keyOf(of)}`) ?? promised
  return Number.isNaN(doses) ? 0 : doses
}

function chosenOf(line: Line, offers: readonly Offer[], changed: Chosen): number {
  return offers.reduce((sum, offer) => sum + dosesOf(line, offer, changed), 0)
}

function askedOf(line: Line, offers: readonly Offer[], changed: Chosen, reasonCode: string) {
  const isChanged = offers.some(({ of }) => changed.has(`${line.line} ${keyOf(of)}`))
  const spot = ({ storagePointId, lotId, vvmStage, held }: OnHand | Line['allocations'][number]) => ({
    line: line.line,
    storagePointId,
    lotId,
    vvmStage,
    held,
  })
  if (!isChanged)
    return line.allocations.flatMap((one) =>
      one.reasonCode === null ? [] : [{ ...spot(one), doses: one.doses, reasonCode: one.reasonCode }],
    )
  return offers
    .map((offer) => ({ ...spot(offer.of), doses: dosesOf(line, offer, changed), reasonCode }))
    .filter(({ doses }) => doses > 0)
}

interface LineProps {
  readonly line: Line
  readonly facilityId: string
  readonly offers: readonly Offer[]
  readonly changed: Chosen
  readonly onChange: (key: string, doses: number) => void
}

function HandLine({ line, facilityId, offers, changed, onChange }: LineProps) {
  const t = useMessages(orderMessages)
  const amount = useAmount()
  const item = useItems().get(line.itemId)
  const describe = useSpot(
    facilityId,
    offers.map(({ of }) => of.lotId),
  )
  return (
    <fieldset className={page['group']}>
      <legend>{item?.name ?? '…'}</legend>
      <p>
        {t.allocate.need(amount(item, needOf(line)))}.{' '}
        <strong role="status">{t.allocate.chosen(amount(item, chosenOf(line, offers, changed)))}</strong>
      </p>
      {offers.length === 0 && <p>{t.allocate.nothing}</p>}
      {offers.map((offer) => {
        const key = `${line.line} ${keyOf(offer.of)}`
        return (
          <NumberField
            key={key}
            label={describe(offer.of)}
            value={changed.get(key) ?? offer.promised}
            onChange={(doses) => onChange(key, doses)}
            maxValue={offer.available}
            hint={t.allocate.available(amount(item, offer.available))}
          />
        )
      })}
    </fieldset>
  )
}
