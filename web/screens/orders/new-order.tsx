import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { ORDER_KINDS, type OrderKind } from '../../../domain/order.ts'
import { call, query } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Icon } from '../../controls/icon.tsx'
import page from '../../controls/page.module.css'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Order, Resupply } from '../../operations.ts'
import { usePlace } from '../stock/use-place.ts'
import { orderMessages } from './messages.ts'
import { Quantities, type Doses } from './quantities.tsx'
import type { NewOrderSearch } from './routes.ts'
import { OUTDATED, useOrder } from './use-orders.ts'

const route = getRouteApi('/orders/new')

export function NewOrder() {
  const t = useMessages(orderMessages)
  const { draft } = route.useSearch()
  return (
    <>
      <Link to="/orders" className={page['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      {draft === undefined ? <Fresh /> : <Draft id={draft} />}
    </>
  )
}

/** Who asks whom, for what sort of order. */
function Fresh() {
  const t = useMessages(orderMessages)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const narrow = (change: NewOrderSearch) =>
    void navigate({ search: { ...search, ...change }, replace: true })
  const kind = search.kind ?? 'request'
  const mine = usePlace(search.facilityId)
  return (
    <>
      <header className={page['head']}>
        <h1>{t.form.title}</h1>
      </header>
      <div className={page['filters']}>
        <PlacePicker
          label={t.place}
          value={search.facilityId}
          onChange={(facilityId) => narrow({ facilityId })}
        />
        <Choice
          label={t.kind}
          options={ORDER_KINDS.map((value) => ({ value, label: t.form.kinds[value] }))}
          value={kind}
          onChange={(value) => narrow({ kind: value })}
        />
      </div>
      {mine === undefined ? (
        <p>{t.form.noPlace}</p>
      ) : (
        <OtherSide key={`${kind} ${mine}`} kind={kind} mine={mine} />
      )}
    </>
  )
}

/** Above for what is asked and what goes back; below for what is pushed. */
function OtherSide({ kind, mine }: { readonly kind: OrderKind; readonly mine: string }) {
  const t = useMessages(orderMessages)
  const [chosen, setChosen] = useState<string>()
  const above = useQuery(query('getResupply', { params: { id: mine } }))
  if (above.isError) return <ProblemNote problem={above.error} onRetry={() => void above.refetch()} />
  if (!above.data) return <Skeleton rows={3} />
  const { suppliers } = above.data
  const other = chosen ?? (kind === 'allocation' ? undefined : suppliers[0]?.id)
  return (
    <>
      <div className={page['filters']}>
        {kind === 'allocation' ? (
          <PlacePicker label={t.form.to} value={chosen} onChange={setChosen} />
        ) : (
          <Suppliers
            label={kind === 'return' ? t.form.backTo : t.form.from}
            suppliers={suppliers}
            value={other}
            onChange={setChosen}
          />
        )}
      </div>
      {kind === 'allocation' && other === undefined && <p>{t.form.chooseReceiver}</p>}
      {other !== undefined && (
        <OrderForm key={other} kind={kind} {...sidesOf(kind, mine, other)} before={undefined} />
      )}
    </>
  )
}

function sidesOf(kind: OrderKind, mine: string, other: string) {
  return kind === 'request'
    ? { fromFacilityId: other, toFacilityId: mine }
    : { fromFacilityId: mine, toFacilityId: other }
}

interface SuppliersProps {
  readonly label: string
  readonly suppliers: Resupply['suppliers']
  readonly value: string | undefined
  readonly onChange: (id: string) => void
}

function Suppliers({ label, suppliers, value, onChange }: SuppliersProps) {
  const t = useMessages(orderMessages)
  if (value === undefined) return <p>{t.form.noSupplier}</p>
  return (
    <Choice
      label={label}
      options={suppliers.map(({ id, name }) => ({ value: id, label: name }))}
      value={value}
      onChange={onChange}
    />
  )
}

function Draft({ id }: { readonly id: string }) {
  const t = useMessages(orderMessages)
  const order = useOrder(id)
  if (order.isError && !order.data)
    return <ProblemNote problem={order.error} onRetry={() => void order.refetch()} />
  if (!order.data) return <Skeleton rows={3} />
  const { kind, documentNo, fromFacilityId, toFacilityId, fromFacilityName, toFacilityName } = order.data
  return (
    <>
      <header className={page['head']}>
        <h1>{t.form.editTitle(documentNo)}</h1>
        <p>{t.route(fromFacilityName, toFacilityName)}</p>
      </header>
      <OrderForm
        kind={kind}
        fromFacilityId={fromFacilityId}
        toFacilityId={toFacilityId}
        before={order.data}
      />
    </>
  )
}

interface FormProps {
  readonly kind: OrderKind
  readonly fromFacilityId: string
  readonly toFacilityId: string
  /** The draft that is changed. */
  readonly before: Order | undefined
}

function OrderForm({ kind, fromFacilityId, toFacilityId, before }: FormProps) {
  const t = useMessages(orderMessages)
  const [changed, setChanged] = useState<Doses>()
  const [head, setHead] = useState(() => headOf(before))
  // What a return brings back is known from the shelves, not from what lacks.
  const isSuggested = kind !== 'return'
  const asked = query('getResupply', { params: { id: toFacilityId } })
  const lacks = useQuery({ ...asked, enabled: isSuggested })
  const suggested = (isSuggested && lacks.data?.items) || []
  const doses = changed ?? firstDoses(before, suggested)
  const lines = linesOf(doses)
  const save = useSave(before, {
    kind,
    fromFacilityId,
    toFacilityId,
    ...filled(head),
    lines,
  })
  if (isSuggested && lacks.isLoading) return <Skeleton rows={3} />
  const isDisabled = save.isPending || lines.length === 0
  return (
    <Form
      className={page['form'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate(true)
      }}
    >
      <Quantities lacks={suggested} isSuggested={isSuggested} doses={doses} onChange={setChanged} />
      <div className={page['filters']}>
        <TextField
          label={t.neededOn}
          type="date"
          value={head.neededOn}
          onChange={(neededOn) => setHead({ ...head, neededOn })}
        />
      </div>
      <TextField
        label={t.commentOptional}
        value={head.comment}
        onChange={(comment) => setHead({ ...head, comment })}
        maxLength={2000}
        lines={2}
      />
      {save.isError && <ProblemNote problem={save.error} />}
      {lines.length === 0 && <p>{t.form.none}</p>}
      <div className={page['buttons']}>
        <Button kind="normal" isDisabled={isDisabled} onPress={() => save.mutate(false)}>
          {t.form.save}
        </Button>
        <Button kind="primary" type="submit" isDisabled={isDisabled}>
          {t.form.send[kind]}
        </Button>
      </div>
    </Form>
  )
}

interface Said extends Pick<Order, 'kind' | 'fromFacilityId' | 'toFacilityId' | 'neededOn' | 'comment'> {
  readonly lines: readonly { readonly itemId: string; readonly doses: number }[]
}

/** Keeps the draft, and sends it when that is wished; then shows it. */
function useSave(before: Order | undefined, body: Said) {
  const t = useMessages(orderMessages)
  const navigate = route.useNavigate()
  const { neededOn, comment, lines } = body
  return useOnce(
    async (key: string, isSent: boolean) => {
      const draft = before
        ? await call('updateOrder', { params: { id: before.id }, body: { neededOn, comment, lines } })
        : await call('createOrder', { body, key })
      const { id } = draft
      const order = isSent ? await call('submitOrder', { params: { id }, key: `${key}-submit` }) : draft
      return { isSent, order }
    },
    {
      outdates: OUTDATED,
      onDone: ({ isSent, order: { id, documentNo } }) => {
        toast(isSent ? t.form.sent(documentNo) : t.form.saved(documentNo))
        void navigate({ to: '/orders/$orderId', params: { orderId: id } })
      },
    },
  )
}

function headOf(before: Order | undefined) {
  return { neededOn: before?.neededOn ?? '', comment: before?.comment ?? '' }
}

function filled({ neededOn, comment }: ReturnType<typeof headOf>) {
  return { neededOn: neededOn === '' ? null : neededOn, comment: comment === '' ? null : comment }
}

/** Of a draft what it says; else what is suggested. */
function firstDoses(before: Order | undefined, lacks: Resupply['items']): Doses {
  if (before) return new Map(before.lines.map(({ itemId, doses }) => [itemId, doses]))
  return new Map(
    lacks.flatMap(({ itemId, suggested }) => (suggested > 0 ? [[itemId, suggested] as const] : [])),
  )
}

function linesOf(doses: Doses): { itemId: string; doses: number }[] {
  return [...doses].flatMap(([itemId, n]) => (n > 0 ? [{ itemId, doses: n }] : []))
}
