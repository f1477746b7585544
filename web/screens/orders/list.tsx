import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ORDER_KINDS, ORDER_STATUSES } from '../../../domain/order.ts'
import { query, useMay, useMe } from '../../api.ts'
import { Choice } from '../../controls/choice.tsx'
import { Icon } from '../../controls/icon.tsx'
import { LinkButton } from '../../controls/link-button.tsx'
import page from '../../controls/page.module.css'
import { PagedList } from '../../controls/paged-list.tsx'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Order } from '../../operations.ts'
import { usePaged } from '../../paged.ts'
import { useAmount } from '../stock/describe.tsx'
import { useItems } from '../stock/use-place.ts'
import { Facts, OrderChip, useTurn } from './describe.tsx'
import { orderMessages } from './messages.ts'
import type { OrdersSearch } from './routes.ts'
import { ORDER_AGAIN_MS, waitingPlace } from './use-orders.ts'

const PAGE_ROWS = 50
/** More wait for nobody alone; whoever has more chooses a place. */
const MINE_MAX = 200
const route = getRouteApi('/orders')

export function OrderList() {
  const t = useMessages(orderMessages)
  const search = route.useSearch()
  const mayMake = useMay('createOrder')
  const mine = useMine(search)
  const all = usePaged('listOrders', { ...search, limit: PAGE_ROWS }, { refetchInterval: ORDER_AGAIN_MS })
  const isMine = new Set(mine.map(({ id }) => id))
  return (
    <>
      <header className={page['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      {mayMake && (
        <div className={page['filters']}>
          <LinkButton kind="primary" to="/orders/new" search={{ facilityId: search.facilityId }}>
            {t.make}
          </LinkButton>
        </div>
      )}
      <Filters search={search} />
      <Section title={t.mine} orders={mine} isMine />
      <PagedList of={all} empty={<Nothing isFiltered={Object.keys(search).length > 0} />}>
        {(orders) => (
          <Section
            title={mine.length > 0 ? t.others : t.title}
            orders={orders.filter(({ id }) => !isMine.has(id))}
            isMine={false}
          />
        )}
      </PagedList>
    </>
  )
}

/** What waits for the person's own place; for those who have none, what waits for anybody. */
function useMine(search: OrdersSearch): readonly Order[] {
  const me = useMe()
  const asked = { ...search, waitingFor: 'me' as const, limit: MINE_MAX }
  const waiting = useQuery({ ...query('listOrders', { query: asked }), refetchInterval: ORDER_AGAIN_MS })
  const own = me?.facilityId ?? null
  return (waiting.data?.items ?? [])
    .filter((order) => own === null || waitingPlace(order)?.id === own)
    .toSorted((a, b) => urgencyOf(a) - urgencyOf(b))
}

/** What has arrived only waits to be put away. */
function urgencyOf({ status }: Order): number {
  return status === 'received' ? 1 : 0
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  const t = useMessages(orderMessages)
  return (
    <div className={page['empty']}>
      <Icon name="truck" />
      <p>{isFiltered ? t.nothingFound : t.nothing}</p>
    </div>
  )
}

function Filters({ search }: { readonly search: OrdersSearch }) {
  const t = useMessages(orderMessages)
  const navigate = route.useNavigate()
  const narrow = (change: OrdersSearch) => void navigate({ search: { ...search, ...change }, replace: true })
  const any = { value: 'any' as const, label: t.any }
  return (
    <div className={page['filters']} role="search" aria-label={t.filter}>
      <Choice
        label={t.status}
        options={[any, ...ORDER_STATUSES.map((value) => ({ value, label: t.statuses[value] }))]}
        value={search.status ?? 'any'}
        onChange={(status) => narrow({ status: status === 'any' ? undefined : status })}
      />
      <Choice
        label={t.kind}
        options={[any, ...ORDER_KINDS.map((value) => ({ value, label: t.kinds[value] }))]}
        value={search.kind ?? 'any'}
        onChange={(kind) => narrow({ kind: kind === 'any' ? undefined : kind })}
      />
      <PlacePicker
        label={t.place}
        value={search.facilityId}
        onChange={(facilityId) => narrow({ facilityId })}
      />
    </div>
  )
}

interface SectionProps {
  readonly title: string
  readonly orders: readonly Order[]
  readonly isMine: boolean
}

function Section({ title, orders, isMine }: SectionProps) {
  if (orders.length === 0) return undefined
  return (
    <section>
      <h2>{title}</h2>
      <ul className={page['list']}>
        {orders.map((order) => (
          <Row key={order.id} order={order} isMine={isMine} />
        ))}
      </ul>
    </section>
  )
}

function Row({ order, isMine }: { readonly order: Order; readonly isMine: boolean }) {
  const t = useMessages(orderMessages)
  const format = useFormat()
  const { day: onDay } = useFormat()
  const amount = useAmount()
  const items = useItems()
  const turn = useTurn()(order)
  const place = waitingPlace(order)
  const first = order.lines[0]
  const rest = order.lines.length - 1
  const item = first && items.get(first.itemId)
  return (
    <li className={page['row']} data-mine={isMine}>
      <div>
        <Link to="/orders/$orderId" params={{ orderId: order.id }} className={page['name']}>
          {order.documentNo}
        </Link>{' '}
        <span className={page['soft']}>{t.kinds[order.kind]}</span>
        <p>{t.route(order.fromFacilityName, order.toFacilityName)}</p>
        <p className={page['chips']}>
          <OrderChip status={order.status} />
        </p>
      </div>
      <div>
        {isMine && turn !== undefined && <p className={page['strong']}>{turn}</p>}
        {!isMine && place && <p>{t.waitsFor(place.name)}</p>}
        {first && (
          <p>
            {item?.name ?? '…'}: {amount(item, first.approved ?? first.doses)} {rest > 0 && t.andMore(rest)}
          </p>
        )}
        <Facts
          of={[
            [t.neededOn, order.neededOn === null ? null : onDay(order.neededOn)],
            [t.changed, format.time(order.updatedAt, order.toTimeZone)],
          ]}
        />
      </div>
    </li>
  )
}
