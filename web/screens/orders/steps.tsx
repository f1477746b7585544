import { useState } from 'react'
import { isAllowed, type OrderStep } from '../../../domain/order.ts'
import { call, useMay, type OperationId } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { LinkButton } from '../../controls/link-button.tsx'
import { Modal } from '../../controls/modal.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Order } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { Approve, End } from './decide.tsx'
import { orderMessages } from './messages.ts'
import { Ship } from './ship.tsx'
import { OUTDATED } from './use-orders.ts'

type Shown = Extract<
  OrderStep,
  'edit' | 'submit' | 'approve' | 'reject' | 'pick' | 'ship' | 'cancel' | 'close'
>

/** What may be done, in its order; who may not do it is not offered it. */
const STEPS: readonly (readonly [Shown, OperationId & Parameters<typeof useMay>[0]])[] = [
  ['submit', 'submitOrder'],
  ['edit', 'updateOrder'],
  ['approve', 'approveOrder'],
  ['reject', 'rejectOrder'],
  ['pick', 'pickOrder'],
  ['ship', 'createShipment'],
  ['close', 'closeOrder'],
  ['cancel', 'cancelOrder'],
]
const FIRST: ReadonlySet<Shown> = new Set<Shown>(['submit', 'approve', 'ship', 'close'])

/** What the person may do with the order now. */
export function Steps({ order }: { readonly order: Order }) {
  const [open, setOpen] = useState<Shown>()
  const sides = new Set(order.mySides)
  const shown = STEPS.filter(([step]) => isAllowed(order, step, sides) && isSensible(order, step))
  const onClose = () => setOpen(undefined)
  return (
    <div className={page['buttons']}>
      {shown.map(([step, operation]) => (
        <StepButton key={step} order={order} step={step} operation={operation} onOpen={setOpen} />
      ))}
      {open === 'approve' && <Approve order={order} onClose={onClose} />}
      {(open === 'reject' || open === 'cancel') && <End order={order} step={open} onClose={onClose} />}
      {open === 'ship' && <Ship order={order} onClose={onClose} />}
      {open === 'close' && <Close order={order} onClose={onClose} />}
    </div>
  )
}

/** The state allows more than what makes sense: nothing is sent of which nothing is promised, and what is on its way arrives first. */
function isSensible({ lines }: Order, step: Shown): boolean {
  if (step === 'ship') return lines.some(({ reserved }) => reserved > 0)
  if (step === 'close') return lines.every(({ shipped, settled }) => shipped === settled)
  return true
}

interface StepProps {
  readonly order: Order
  readonly step: Shown
  readonly operation: Parameters<typeof useMay>[0]
  readonly onOpen: (step: Shown) => void
}

function StepButton({ order, step, operation, onOpen }: StepProps) {
  const t = useMessages(orderMessages)
  const may = useMay(operation)
  if (!may) return undefined
  if (step === 'edit')
    return (
      <LinkButton kind="normal" to="/orders/new" search={{ draft: order.id }}>
        {t.steps.edit}
      </LinkButton>
    )
  const kind = FIRST.has(step) ? 'primary' : 'normal'
  if (step === 'submit' || step === 'pick') return <AtOnce order={order} step={step} kind={kind} />
  return (
    <Button kind={kind} onPress={() => onOpen(step)}>
      {t.steps[step]}
    </Button>
  )
}

interface AtOnceProps {
  readonly order: Order
  readonly step: 'submit' | 'pick'
  readonly kind: 'primary' | 'normal'
}

/** A step that asks nothing. */
function AtOnce({ order, step, kind }: AtOnceProps) {
  const t = useMessages(orderMessages)
  const operation = step === 'submit' ? 'submitOrder' : 'pickOrder'
  const act = useOnce((key: string) => call(operation, { params: { id: order.id }, key }), {
    outdates: OUTDATED,
    onDone: () => toast(t.done[step](order.documentNo)),
  })
  return (
    <>
      {act.isError && <ProblemNote problem={act.error} />}
      <Button kind={kind} isDisabled={act.isPending} onPress={() => act.mutate(undefined)}>
        {t.steps[step]}
      </Button>
    </>
  )
}

function Close({ order, onClose }: { readonly order: Order; readonly onClose: () => void }) {
  const t = useMessages(orderMessages)
  const shell = useMessages(shellMessages)
  const act = useOnce((key: string) => call('closeOrder', { params: { id: order.id }, key }), {
    outdates: OUTDATED,
    onDone: () => {
      toast(t.done.close(order.documentNo))
      onClose()
    },
  })
  return (
    <Modal isOpen title={`${t.steps.close}: ${order.documentNo}`} onClose={onClose}>
      {act.isError && <ProblemNote problem={act.error} />}
      <p>{t.steps.closeAsk}</p>
      <div className={page['buttons']}>
        <Button kind="normal" onPress={onClose}>
          {shell.cancel}
        </Button>
        <Button kind="primary" isDisabled={act.isPending} onPress={() => act.mutate(undefined)}>
          {t.steps.close}
        </Button>
      </div>
    </Modal>
  )
}
