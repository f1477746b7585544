import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { isAllowed } from '../../../domain/order.ts'
import { call, Problem, query, useMay } from '../../api.ts'
import { AgeNote } from '../../controls/age-note.tsx'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { Icon } from '../../controls/icon.tsx'
import { LinkButton } from '../../controls/link-button.tsx'
import { Modal } from '../../controls/modal.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Order, Shipment } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { shellMessages } from '../../shell/messages.ts'
import { useAmount } from '../stock/describe.tsx'
import { stockMessages } from '../stock/messages.ts'
import { useItems, useStock } from '../stock/use-place.ts'
import { Facts, ShipmentChip } from './describe.tsx'
import { orderMessages } from './messages.ts'
import { Receive } from './receive.tsx'
import { shipmentMessages } from './shipment-messages.ts'
import { ORDER_AGAIN_MS, OUTDATED, useLots, useOrder } from './use-orders.ts'

const route = getRouteApi('/shipments/$shipmentId')

export function ShipmentPage() {
  const { shipmentId } = route.useParams()
  const shipment = useQuery({
    ...query('getShipment', { params: { id: shipmentId } }),
    refetchInterval: ORDER_AGAIN_MS,
  })
  if (shipment.error instanceof Problem && [400, 404].includes(shipment.error.status)) return <NotFound />
  return (
    <>
      <AgeNote of={shipment} />
      {shipment.isError && !shipment.data && (
        <ProblemNote problem={shipment.error} onRetry={() => void shipment.refetch()} />
      )}
      {shipment.isLoading && <Skeleton rows={4} />}
      {shipment.data && <Found shipment={shipment.data} />}
    </>
  )
}

function Found({ shipment }: { readonly shipment: Shipment }) {
  const t = useMessages(shipmentMessages)
  const shared = useMessages(orderMessages)
  const format = useFormat()
  const order = useOrder(shipment.orderId).data
  const boxes = useBoxes(shipment, order?.mySides.includes('sender') ?? false)
  const { documentNo, fromFacilityName, toFacilityName, fromTimeZone, toTimeZone, sscc, comment } = shipment
  return (
    <>
      <Link to="/orders/$orderId" params={{ orderId: shipment.orderId }} className={page['back']}>
        <Icon name="back" /> {order ? t.toOrder(order.documentNo) : t.order}
      </Link>
      <header className={page['head']}>
        <h1>{t.shipment(documentNo)}</h1>
        <p>
          {fromFacilityName} → {toFacilityName}
        </p>
        <p className={page['chips']}>
          <ShipmentChip status={shipment.status} />
        </p>
      </header>
      {order && <Acts shipment={shipment} order={order} />}
      <section className={page['panel']}>
        <Facts
          of={[
            [t.sentAt, format.time(shipment.shippedAt, fromTimeZone)],
            [t.receivedAt, shipment.receivedAt !== null && format.time(shipment.receivedAt, toTimeZone)],
            [t.sscc, sscc],
            [t.coldBoxes, boxes],
            [shared.comment, comment],
          ]}
        />
      </section>
      <Contents shipment={shipment} isReceiver={order?.mySides.includes('receiver') ?? false} />
    </>
  )
}

/** Cold boxes, with the loggers in them; the devices are the sender's, and only they know what they are called. */
function useBoxes({ coldBoxes, fromFacilityId }: Shipment, isSender: boolean): string | undefined {
  const t = useMessages(shipmentMessages)
  const asked = query('listDevices', { query: { facilityId: fromFacilityId, limit: 200 } })
  const isAsked = isSender && coldBoxes.some(({ deviceId }) => deviceId !== null)
  const devices = useQuery({ ...asked, enabled: isAsked }).data?.items ?? []
  if (coldBoxes.length === 0) return undefined
  return coldBoxes
    .map(({ name, deviceId }) => {
      const device = devices.find(({ id }) => id === deviceId)
      return device ? t.withDevice(name, device.name) : name
    })
    .join('; ')
}

/** What can be done with it now. */
function Acts({ shipment, order }: { readonly shipment: Shipment; readonly order: Order }) {
  const t = useMessages(shipmentMessages)
  const { receive } = route.useSearch()
  const navigate = route.useNavigate()
  const mayReceive = useMay('receiveShipment')
  const [open, setOpen] = useState<'receive' | 'reverseReceipt' | 'recall' | undefined>(receive && 'receive')
  const [received, setReceived] = useState<Shipment>()
  const sides = new Set(order.mySides)
  const can = (step: 'receive' | 'reverseReceipt' | 'recall', status: Shipment['status']) =>
    mayReceive && shipment.status === status && isAllowed(order, step, sides)
  const onClose = () => {
    setOpen(undefined)
    setReceived(undefined)
    if (receive) void navigate({ search: {}, replace: true })
  }
  const canReceive = can('receive', 'shipped')
  return (
    <div className={page['buttons']}>
      {canReceive && (
        <Button kind="primary" onPress={() => setOpen('receive')}>
          {t.receive}
        </Button>
      )}
      <LinkButton kind="normal" to="/shipments/$shipmentId/papers" params={{ shipmentId: shipment.id }}>
        {t.papers}
      </LinkButton>
      {can('recall', 'shipped') && (
        <Button kind="normal" onPress={() => setOpen('recall')}>
          {t.recall}
        </Button>
      )}
      {can('reverseReceipt', 'received') && (
        <Button kind="normal" onPress={() => setOpen('reverseReceipt')}>
          {t.undoReceipt}
        </Button>
      )}
      {open === 'receive' && (canReceive || received) && (
        <Receive shipment={shipment} received={received} onReceived={setReceived} onClose={onClose} />
      )}
      {open === 'recall' && <Undo shipment={shipment} operation="recallShipment" onClose={onClose} />}
      {open === 'reverseReceipt' && <Undo shipment={shipment} operation="reverseReceipt" onClose={onClose} />}
    </div>
  )
}

interface UndoProps {
  readonly shipment: Shipment
  readonly operation: 'recallShipment' | 'reverseReceipt'
  readonly onClose: () => void
}

function Undo({ shipment, operation, onClose }: UndoProps) {
  const t = useMessages(shipmentMessages)
  const shell = useMessages(shellMessages)
  const title = operation === 'recallShipment' ? t.recall : t.undoReceipt
  const act = useOnce((key: string) => call(operation, { params: { id: shipment.id }, body: {}, key }), {
    outdates: OUTDATED,
    onDone: onClose,
  })
  return (
    <Modal isOpen title={`${title}: ${shipment.documentNo}`} onClose={onClose}>
      {act.isError && <ProblemNote problem={act.error} />}
      <p>{operation === 'recallShipment' ? t.recallAsk : t.undoReceiptAsk}</p>
      <div className={page['buttons']}>
        <Button kind="normal" onPress={onClose}>
          {shell.cancel}
        </Button>
        <Button kind="primary" isDisabled={act.isPending} onPress={() => act.mutate(undefined)}>
          {title}
        </Button>
      </div>
    </Modal>
  )
}

interface ContentsProps {
  readonly shipment: Shipment
  readonly isReceiver: boolean
}

function Contents({ shipment, isReceiver }: ContentsProps) {
  const t = useMessages(shipmentMessages)
  const isNew = useIsNew(shipment, isReceiver)
  return (
    <section className={page['panel']}>
      <h2>{t.contents}</h2>
      <ul className={page['plain']}>
        {shipment.lines.map((line) => (
          <li key={line.line} className={page['entry']}>
            <What line={line} isNew={isNew(line.lotId)} />
            <Outcome line={line} isReceived={shipment.status === 'received'} />
          </li>
        ))}
      </ul>
    </section>
  )
}

type Line = Shipment['lines'][number]

function What({ line, isNew }: { readonly line: Line; readonly isNew: boolean }) {
  const t = useMessages(shipmentMessages)
  const stock = useMessages(stockMessages)
  const { day: onDay } = useFormat()
  const item = useItems().get(line.itemId)
  const lot = useLots([line.lotId]).get(line.lotId)
  const isRecalled = (lot?.recalledAt ?? null) !== null
  return (
    <>
      <strong>{t.lotOf(item?.name ?? '…', lot?.code ?? '…')}</strong>
      <p>
        {lot && stock.expires(onDay(lot.expiresOn))}
        {line.vvmStage > 0 && ` · ${stock.vvm(line.vvmStage)}`}
      </p>
      <p className={page['chips']}>
        {isNew && (
          <Chip state="cold" icon="box">
            {t.newHere}
          </Chip>
        )}
        {line.held && (
          <Chip state="silent" icon="alarm">
            {t.onHold}
          </Chip>
        )}
        {isRecalled && (
          <Chip state="warm" icon="alarm">
            {t.recalled}
          </Chip>
        )}
      </p>
    </>
  )
}

function Outcome({ line, isReceived }: { readonly line: Line; readonly isReceived: boolean }) {
  const t = useMessages(shipmentMessages)
  const amount = useAmount()
  const item = useItems().get(line.itemId)
  return (
    <Facts
      of={[
        [t.sent, amount(item, line.doses)],
        [t.accepted, isReceived && amount(item, line.accepted)],
        [t.rejected, line.rejected > 0 && amount(item, line.rejected)],
        [t.short, line.short > 0 && amount(item, line.short)],
      ]}
    />
  )
}

/** Which lots come to a place that has none of them. */
function useIsNew({ status, toFacilityId }: Shipment, isReceiver: boolean): (lotId: string) => boolean {
  const { stock } = useStock(isReceiver ? toFacilityId : undefined)
  const there = stock.data?.items.filter(({ facilityId, doses }) => facilityId === toFacilityId && doses > 0)
  const known = new Set(there?.map(({ lotId }) => lotId))
  return (lotId) => isReceiver && status === 'shipped' && there !== undefined && !known.has(lotId)
}
