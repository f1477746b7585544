import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Problem, query } from '../../api.ts'
import { AgeNote } from '../../controls/age-note.tsx'
import { Icon } from '../../controls/icon.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Order, Shipment } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { useAmount } from '../stock/describe.tsx'
import { useItems } from '../stock/use-place.ts'
import { Allocations } from './allocations.tsx'
import { Facts, OrderChip, ShipmentChip, useTurn } from './describe.tsx'
import { orderMessages } from './messages.ts'
import { shipmentMessages } from './shipment-messages.ts'
import { Steps } from './steps.tsx'
import { ORDER_AGAIN_MS, useOrder, useReasonName, waitingPlace } from './use-orders.ts'

const SHIPMENTS_MAX = 50
const route = getRouteApi('/orders/$orderId')

export function OrderPage() {
  const t = useMessages(orderMessages)
  const { orderId } = route.useParams()
  const order = useOrder(orderId)
  if (order.error instanceof Problem && [400, 404].includes(order.error.status)) return <NotFound />
  return (
    <>
      <Link to="/orders" className={page['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <AgeNote of={order} />
      {order.isError && !order.data && (
        <ProblemNote problem={order.error} onRetry={() => void order.refetch()} />
      )}
      {order.isLoading && <Skeleton rows={4} />}
      {order.data && <Found order={order.data} />}
    </>
  )
}

function Found({ order }: { readonly order: Order }) {
  const t = useMessages(orderMessages)
  const { day: onDay } = useFormat()
  const reasonName = useReasonName()
  const isSender = order.mySides.includes('sender')
  return (
    <>
      <header className={page['head']}>
        <h1>{order.documentNo}</h1>
        <p>
          {t.kinds[order.kind]}. {t.route(order.fromFacilityName, order.toFacilityName)}
        </p>
        <p className={page['chips']}>
          <OrderChip status={order.status} />
        </p>
        <Facts
          of={[
            [t.neededOn, order.neededOn === null ? null : onDay(order.neededOn)],
            [t.comment, order.comment],
            [t.reason, order.reasonCode === null ? null : reasonName(order.reasonCode)],
          ]}
        />
      </header>
      <Next order={order} />
      <Lines order={order} />
      {isSender && <Allocations order={order} />}
      <Shipments order={order} />
      <History order={order} />
    </>
  )
}

/** Whose turn it is and what is to be done. */
function Next({ order }: { readonly order: Order }) {
  const t = useMessages(orderMessages)
  const turn = useTurn()(order)
  const place = waitingPlace(order)
  const isMine = order.waitingFor !== null && order.mySides.includes(order.waitingFor)
  return (
    <section className={page['panel']}>
      <h2>{t.next}</h2>
      <p>
        {place ? t.waitsFor(place.name) : t.over}
        {isMine && turn !== undefined && (
          <>
            : <strong>{turn}</strong>
          </>
        )}
      </p>
      <Steps order={order} />
    </section>
  )
}

function Lines({ order }: { readonly order: Order }) {
  const t = useMessages(orderMessages)
  const amount = useAmount()
  const items = useItems()
  const reasonName = useReasonName()
  return (
    <section className={page['panel']}>
      <h2>{t.lines}</h2>
      <ul className={page['plain']}>
        {order.lines.map(({ line, itemId, doses, approved, reasonCode, reserved, shipped, settled }) => {
          const item = items.get(itemId)
          return (
            <li key={line} className={page['entry']}>
              <strong>{item?.name ?? '…'}</strong>
              <Facts
                of={[
                  [t.asked, amount(item, doses)],
                  [t.approved, approved !== null && amount(item, approved)],
                  [t.reason, reasonCode !== null && reasonName(reasonCode)],
                  [t.promised, reserved > 0 && amount(item, reserved)],
                  [t.sent, shipped > 0 && amount(item, shipped)],
                  [t.arrived, settled > 0 && amount(item, settled)],
                ]}
              />
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Shipments({ order }: { readonly order: Order }) {
  const t = useMessages(shipmentMessages)
  const shipments = useQuery({
    ...query('listShipments', { query: { orderId: order.id, limit: SHIPMENTS_MAX } }),
    refetchInterval: ORDER_AGAIN_MS,
  })
  const isOn = order.decidedAt !== null && order.status !== 'rejected'
  if (!isOn) return undefined
  return (
    <section className={page['panel']}>
      <h2>{t.title}</h2>
      {shipments.isLoading && <Skeleton rows={1} />}
      {shipments.data?.items.length === 0 && <p>{t.none}</p>}
      <ul className={page['plain']}>
        {shipments.data?.items.map((shipment) => (
          <ShipmentRow key={shipment.id} shipment={shipment} />
        ))}
      </ul>
    </section>
  )
}

function ShipmentRow({ shipment }: { readonly shipment: Shipment }) {
  const t = useMessages(shipmentMessages)
  const format = useFormat()
  const { id, documentNo, sscc, shippedAt, receivedAt, fromTimeZone, toTimeZone } = shipment
  return (
    <li className={page['entry']}>
      <Link to="/shipments/$shipmentId" params={{ shipmentId: id }} className={page['link']}>
        {t.shipment(documentNo)}
      </Link>
      <p>
        <ShipmentChip status={shipment.status} />
      </p>
      <Facts
        of={[
          [t.sscc, sscc],
          [t.sentAt, format.time(shippedAt, fromTimeZone)],
          [t.receivedAt, receivedAt !== null && format.time(receivedAt, toTimeZone)],
        ]}
      />
    </li>
  )
}

function History({ order }: { readonly order: Order }) {
  const t = useMessages(orderMessages)
  const format = useFormat()
  const steps = useQuery({
    ...query('getOrderHistory', { params: { id: order.id } }),
    refetchInterval: ORDER_AGAIN_MS,
  })
  return (
    <section className={page['panel']}>
      <h2>{t.history}</h2>
      {steps.isLoading && <Skeleton rows={2} />}
      {steps.isError && !steps.data && (
        <ProblemNote problem={steps.error} onRetry={() => void steps.refetch()} />
      )}
      <ol className={page['timeline']}>
        {steps.data?.items.map(({ at, action, userName }) => (
          <li key={`${at} ${action}`}>
            <strong>{t.actions[action]}</strong>
            <span className={page['soft']}>
              {userName ?? t.someone} · {format.time(at, order.toTimeZone)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
