import { useState } from 'react'
import { Form } from 'react-aria-components'
import { call } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Modal } from '../../controls/modal.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Order } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { useAmount } from '../stock/describe.tsx'
import { useItems, useStock } from '../stock/use-place.ts'
import { ReasonChoice } from './describe.tsx'
import { orderMessages } from './messages.ts'
import { OUTDATED } from './use-orders.ts'

interface Props {
  readonly order: Order
  readonly onClose: () => void
}

interface Granted {
  readonly doses: number
  readonly reasonCode: string
}

/** All of it, or less with a reason, beside what is there. */
export function Approve({ order, onClose }: Props) {
  const t = useMessages(orderMessages)
  const [said, setSaid] = useState<ReadonlyMap<number, Granted>>(
    () => new Map(order.lines.map(({ line, doses }) => [line, { doses, reasonCode: '' }])),
  )
  const lines = order.lines.flatMap(({ line, doses: asked }) => {
    const { doses, reasonCode } = said.get(line) ?? { doses: asked, reasonCode: '' }
    return doses < asked ? [{ line, doses, reasonCode }] : []
  })
  const isNothing = [...said.values()].every(({ doses }) => doses === 0)
  const isWhole = lines.every(({ reasonCode }) => reasonCode !== '')
  const act = useOnce(
    (key: string) => call('approveOrder', { params: { id: order.id }, body: { lines }, key }),
    {
      outdates: OUTDATED,
      onDone: () => {
        toast(t.done.approve(order.documentNo))
        onClose()
      },
    },
  )
  return (
    <Modal isOpen title={`${t.steps.approve}: ${order.documentNo}`} onClose={onClose}>
      <p>{t.approve.lead}</p>
      <Form
        className={page['form'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate(undefined)
        }}
      >
        {order.lines.map((line) => (
          <ApproveLine
            key={line.line}
            of={line}
            facilityId={order.fromFacilityId}
            granted={said.get(line.line) ?? { doses: line.doses, reasonCode: '' }}
            onSay={(granted) => setSaid(new Map([...said, [line.line, granted]]))}
          />
        ))}
        {isNothing && <p>{t.approve.nothing}</p>}
        {act.isError && <ProblemNote problem={act.error} />}
        <Buttons
          submit={t.steps.approve}
          isDisabled={act.isPending || isNothing || !isWhole}
          onClose={onClose}
        />
      </Form>
    </Modal>
  )
}

interface LineProps {
  readonly of: Order['lines'][number]
  readonly facilityId: string
  readonly granted: Granted
  readonly onSay: (granted: Granted) => void
}

function ApproveLine({ of: { itemId, doses: asked }, facilityId, granted, onSay }: LineProps) {
  const t = useMessages(orderMessages)
  const amount = useAmount()
  const item = useItems().get(itemId)
  const free = useFree(facilityId, itemId)
  const hint = [
    `${t.asked}: ${amount(item, asked)}`,
    free !== undefined && t.approve.here(amount(item, free)),
  ]
  return (
    <div className={page['entry']}>
      <NumberField
        label={item?.name ?? '…'}
        value={granted.doses}
        onChange={(doses) => onSay({ ...granted, doses: Number.isNaN(doses) ? 0 : doses })}
        maxValue={asked}
        hint={hint.filter(Boolean).join('. ')}
        isRequired
      />
      {granted.doses < asked && (
        <ReasonChoice
          label={t.approve.less}
          kind="cancellation"
          value={granted.reasonCode}
          onChange={(reasonCode) => onSay({ ...granted, reasonCode })}
        />
      )}
    </div>
  )
}

/** What of an item is on the shelves of a place and promised to nobody. */
function useFree(facilityId: string, itemId: string): number | undefined {
  const { stock } = useStock(facilityId)
  return stock.data?.items
    .filter((line) => line.facilityId === facilityId && line.itemId === itemId && !line.held)
    .reduce((sum, { available }) => sum + (available ?? 0), 0)
}

/** Refuses it, or withdraws it before anything is sent. */
export function End({ order, step, onClose }: Props & { readonly step: 'reject' | 'cancel' }) {
  const t = useMessages(orderMessages)
  const [reasonCode, setReasonCode] = useState('')
  const [comment, setComment] = useState('')
  const operation = step === 'reject' ? 'rejectOrder' : 'cancelOrder'
  const body = { reasonCode, ...(comment !== '' && { comment }) }
  const act = useOnce((key: string) => call(operation, { params: { id: order.id }, body, key }), {
    outdates: OUTDATED,
    onDone: () => {
      toast(t.done[step](order.documentNo))
      onClose()
    },
  })
  return (
    <Modal isOpen title={`${t.steps[step]}: ${order.documentNo}`} onClose={onClose}>
      <Form
        className={page['form'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate(undefined)
        }}
      >
        <ReasonChoice label={t.reason} kind="cancellation" value={reasonCode} onChange={setReasonCode} />
        <TextField
          label={t.commentOptional}
          value={comment}
          onChange={setComment}
          maxLength={2000}
          lines={2}
        />
        {act.isError && <ProblemNote problem={act.error} />}
        <Buttons submit={t.steps[step]} isDisabled={act.isPending || reasonCode === ''} onClose={onClose} />
      </Form>
    </Modal>
  )
}

interface ButtonsProps {
  readonly submit: string
  readonly isDisabled: boolean
  readonly onClose: () => void
}

export function Buttons({ submit, isDisabled, onClose }: ButtonsProps) {
  const shell = useMessages(shellMessages)
  return (
    <div className={page['buttons']}>
      <Button kind="normal" onPress={onClose}>
        {shell.cancel}
      </Button>
      <Button kind="primary" type="submit" isDisabled={isDisabled}>
        {submit}
      </Button>
    </div>
  )
}
