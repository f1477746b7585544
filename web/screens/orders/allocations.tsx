import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { isAllowed } from '../../../domain/order.ts'
import { call, useMay, wholeList } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Operations, Order } from '../../operations.ts'
import { useAmount } from '../stock/describe.tsx'
import { stockMessages } from '../stock/messages.ts'
import { useItems } from '../stock/use-place.ts'
import { ByHand } from './by-hand.tsx'
import { orderMessages } from './messages.ts'
import { OUTDATED, useLots, useReasonName } from './use-orders.ts'

type Line = Order['lines'][number]
type Allocation = Line['allocations'][number]
type PassedOver = Operations['allocateOrder']['response']['passedOver']

/** What of the sender's stock is promised to the order and why, what was not taken and why, and how to choose otherwise. */
export function Allocations({ order }: { readonly order: Order }) {
  const t = useMessages(orderMessages)
  const may = useMay('allocateOrder')
  const [isByHand, setByHand] = useState(false)
  const [passedOver, setPassedOver] = useState<PassedOver>([])
  const byRule = useOnce(
    (key: string) => call('allocateOrder', { params: { id: order.id }, body: {}, key }),
    {
      outdates: OUTDATED,
      onDone: (answer) => {
        setPassedOver(answer.passedOver)
        toast(t.done.allocate(order.documentNo))
      },
    },
  )
  const left = order.lines.filter(({ approved, shipped }) => (approved ?? 0) > shipped)
  const promised = order.lines.filter(({ allocations }) => allocations.length > 0)
  const canChoose = may && left.length > 0 && isAllowed(order, 'allocate', new Set(order.mySides))
  if (!canChoose && promised.length === 0) return undefined
  return (
    <section className={page['panel']}>
      <h2>{t.allocate.title}</h2>
      {promised.length === 0 && <p>{t.allocate.none}</p>}
      <ul className={page['plain']}>
        {promised.map((line) => (
          <PromisedLine key={line.line} line={line} facilityId={order.fromFacilityId} />
        ))}
      </ul>
      {promised.length > 0 && <Missing lines={left} />}
      {byRule.isError && <ProblemNote problem={byRule.error} />}
      {canChoose && (
        <>
          <p className={page['soft']}>{t.allocate.lead}</p>
          <div className={page['buttons']}>
            <Button
              kind={promised.length === 0 ? 'primary' : 'normal'}
              isDisabled={byRule.isPending}
              onPress={() => byRule.mutate(undefined)}
            >
              {promised.length === 0 ? t.allocate.byRule : t.allocate.again}
            </Button>
            <Button kind="normal" onPress={() => setByHand(true)}>
              {t.allocate.byHand}
            </Button>
          </div>
        </>
      )}
      <Passed of={passedOver} facilityId={order.fromFacilityId} />
      {isByHand && (
        <ByHand order={order} lines={left} onPassedOver={setPassedOver} onClose={() => setByHand(false)} />
      )}
    </section>
  )
}

function PromisedLine({ line, facilityId }: { readonly line: Line; readonly facilityId: string }) {
  const item = useItems().get(line.itemId)
  return (
    <li className={page['entry']}>
      <strong>{item?.name ?? '…'}</strong>
      <ul className={page['plain']}>
        {line.allocations.map((one) => (
          <Promised key={keyOf(one)} one={one} itemId={line.itemId} facilityId={facilityId} />
        ))}
      </ul>
    </li>
  )
}

export function keyOf({
  storagePointId,
  lotId,
  vvmStage,
  held,
}: Omit<Allocation, 'doses' | 'why' | 'reasonCode'>) {
  return [storagePointId, lotId, vvmStage, held].join(' ')
}

interface PromisedProps {
  readonly one: Allocation
  readonly itemId: string
  readonly facilityId: string
}

function Promised({ one, itemId, facilityId }: PromisedProps) {
  const t = useMessages(orderMessages)
  const amount = useAmount()
  const item = useItems().get(itemId)
  const describe = useSpot(facilityId, [one.lotId])
  const reasonName = useReasonName()
  const whys: Readonly<Record<string, string>> = t.allocate.why
  const why = whys[one.why] ?? one.why
  return (
    <li>
      <p>
        <span className={page['strong']}>{amount(item, one.doses)}</span>, {describe(one)}
      </p>
      <p className={page['chips']}>
        <Chip
          state={one.why === 'manual' ? 'silent' : 'in-range'}
          icon={one.why === 'vvm' ? 'up' : one.why === 'manual' ? 'person' : 'clock'}
        >
          {one.reasonCode === null ? why : `${why}: ${reasonName(one.reasonCode)}`}
        </Chip>
      </p>
    </li>
  )
}

/** Says which stock it is: lot, expiry, VVM stage and storage point. */
export function useSpot(facilityId: string, lotIds: readonly string[]) {
  const stock = useMessages(stockMessages)
  const { day: onDay } = useFormat()
  const lots = useLots(lotIds)
  const points = useQuery(wholeList('listStoragePoints', { facilityId })).data?.items ?? []
  return ({ lotId, storagePointId, vvmStage }: Pick<Allocation, 'lotId' | 'storagePointId' | 'vvmStage'>) => {
    const lot = lots.get(lotId)
    return [
      lot?.code ?? '…',
      lot && stock.expires(onDay(lot.expiresOn)),
      vvmStage > 0 && stock.vvm(vvmStage),
      points.find(({ id }) => id === storagePointId)?.name,
    ]
      .filter(Boolean)
      .join(' · ')
  }
}

function Missing({ lines }: { readonly lines: readonly Line[] }) {
  const t = useMessages(orderMessages)
  const amount = useAmount()
  const items = useItems()
  return (
    <>
      {lines.map(({ line, itemId, approved, shipped, reserved }) => {
        const missing = (approved ?? 0) - shipped - reserved
        const item = items.get(itemId)
        return (
          missing > 0 && (
            <p key={line} className={page['chips']}>
              <Chip state="warm" icon="alarm">
                {`${item?.name ?? '…'}: ${t.allocate.short(amount(item, missing))}`}
              </Chip>
            </p>
          )
        )
      })}
    </>
  )
}

function Passed({ of, facilityId }: { readonly of: PassedOver; readonly facilityId: string }) {
  const t = useMessages(orderMessages)
  const stock = useMessages(stockMessages)
  const describe = useSpot(
    facilityId,
    of.map(({ lotId }) => lotId),
  )
  const obstacles: Readonly<Record<string, string>> = t.allocate.obstacles
  if (of.length === 0) return undefined
  return (
    <>
      <h3>{t.allocate.passedOver}</h3>
      <ul className={page['plain']}>
        {of.map((one) => (
          <li key={keyOf(one)}>
            {stock.doses(one.available)}, {describe(one)}:{' '}
            <strong>{obstacles[one.obstacle] ?? one.obstacle}</strong>
          </li>
        ))}
      </ul>
    </>
  )
}
