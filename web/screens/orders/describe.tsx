import type { OrderStatus } from '../../../domain/order.ts'
import { Chip, type State } from '../../controls/chip.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Icon, type IconName } from '../../controls/icon.tsx'
import page from '../../controls/page.module.css'
import { useMessages } from '../../messages.ts'
import type { Order, Reason, Shipment, ShipmentWarning } from '../../operations.ts'
import { orderMessages } from './messages.ts'
import { shipmentMessages } from './shipment-messages.ts'
import { useReasons } from './use-orders.ts'

const STATUSES: Readonly<Record<OrderStatus, readonly [State, IconName]>> = {
  draft: ['unknown', 'list'],
  submitted: ['silent', 'clock'],
  approved: ['in-range', 'check'],
  rejected: ['warm', 'alarm'],
  allocated: ['cold', 'box'],
  picked: ['cold', 'box'],
  shipped: ['cold', 'truck'],
  received: ['in-range', 'home'],
  closed: ['unknown', 'check'],
  cancelled: ['unknown', 'back'],
}

export function OrderChip({ status }: { readonly status: OrderStatus }) {
  const t = useMessages(orderMessages)
  const [state, icon] = STATUSES[status]
  return (
    <Chip state={state} icon={icon}>
      {t.statuses[status]}
    </Chip>
  )
}

export function ShipmentChip({ status }: { readonly status: Shipment['status'] }) {
  const t = useMessages(shipmentMessages)
  const looks = { shipped: STATUSES.shipped, received: STATUSES.received, recalled: STATUSES.cancelled }
  const [state, icon] = looks[status]
  return (
    <Chip state={state} icon={icon}>
      {t.statuses[status]}
    </Chip>
  )
}

/** What the side whose step is next has to do, in words. */
export function useTurn() {
  const t = useMessages(orderMessages)
  return ({ status, waitingFor }: Order): string | undefined => {
    if (waitingFor === null || !(status in t.turn)) return undefined
    if (status === 'shipped' && waitingFor === 'sender') return t.turn.rest
    return t.turn[status as keyof typeof t.turn]
  }
}

interface ReasonProps {
  readonly label: string
  readonly kind: Reason['kind']
  /** Empty until something is chosen. */
  readonly value: string
  readonly onChange: (code: string) => void
}

/** Why something is not as it was asked or expected. */
export function ReasonChoice({ label, kind, value, onChange }: ReasonProps) {
  const t = useMessages(orderMessages)
  const reasons = useReasons(kind)
  return (
    <Choice
      label={label}
      options={[
        { value: '', label: t.chooseReason },
        ...reasons.map(({ code, name }) => ({ value: code, label: name })),
      ]}
      value={value}
      onChange={onChange}
    />
  )
}

interface WarningsProps {
  readonly warnings: readonly ShipmentWarning[]
  /** What a line of the shipment is called. */
  readonly nameOf: (line: number) => string
}

/** What the server did not refuse, but people should know. */
export function Warnings({ warnings, nameOf }: WarningsProps) {
  const t = useMessages(shipmentMessages)
  const known: Readonly<Record<string, string>> = t.warnings
  return (
    <>
      {warnings.map(({ code, line, detail }) => (
        <div key={`${code} ${line}`} role="alert" className={page['warning']}>
          <Icon name="alarm" />
          <div>
            <strong>{known[code] ?? t.mind}</strong>
            <p>
              {line !== null && `${nameOf(line)}. `}
              <span lang="en">{detail}</span>
            </p>
          </div>
        </div>
      ))}
    </>
  )
}

/** A fact and its name, left out when there is none. */
export function Facts({
  of,
}: {
  readonly of: readonly (readonly [string, string | null | undefined | false])[]
}) {
  return (
    <dl className={page['facts']}>
      {of.map(
        ([name, value]) =>
          value !== undefined &&
          value !== null &&
          value !== false && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
