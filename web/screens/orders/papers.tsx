import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { query } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Icon } from '../../controls/icon.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Shipment } from '../../operations.ts'
import { vialsOf } from '../stock/lines.ts'
import { useItems } from '../stock/use-place.ts'
import { Barcode } from './barcode.tsx'
import { Facts } from './describe.tsx'
import { orderMessages } from './messages.ts'
import styles from './papers.module.css'
import { shipmentMessages } from './shipment-messages.ts'
import { useLots, useOrder } from './use-orders.ts'

const route = getRouteApi('/shipments/$shipmentId/papers')

/** What travels with a shipment: the issue note and the label, to be printed. */
export function Papers() {
  const t = useMessages(shipmentMessages)
  const { shipmentId } = route.useParams()
  const shipment = useQuery(query('getShipment', { params: { id: shipmentId } }))
  return (
    <>
      <Link to="/shipments/$shipmentId" params={{ shipmentId }} className={page['back']}>
        <Icon name="back" /> {shipment.data ? t.shipment(shipment.data.documentNo) : t.title}
      </Link>
      {shipment.isError && !shipment.data && (
        <ProblemNote problem={shipment.error} onRetry={() => void shipment.refetch()} />
      )}
      {shipment.isLoading && <Skeleton rows={4} />}
      {shipment.data && (
        <>
          <div className={page['buttons']}>
            <Button kind="primary" onPress={() => window.print()}>
              {t.paper.print}
            </Button>
          </div>
          <Note shipment={shipment.data} />
          <Label shipment={shipment.data} />
        </>
      )}
    </>
  )
}

function Note({ shipment }: { readonly shipment: Shipment }) {
  const t = useMessages(shipmentMessages)
  const shared = useMessages(orderMessages)
  const format = useFormat()
  const order = useOrder(shipment.orderId).data
  return (
    <section className={styles['paper']}>
      <h1>
        {t.paper.note} {shipment.documentNo}
      </h1>
      <Facts
        of={[
          [shared.form.from, shipment.fromFacilityName],
          [shared.form.to, shipment.toFacilityName],
          [t.order, order?.documentNo],
          [t.sentAt, format.time(shipment.shippedAt, shipment.fromTimeZone)],
          [t.sscc, shipment.sscc],
          [t.coldBoxes, shipment.coldBoxes.map(({ name }) => name).join('; ') || null],
          [shared.comment, shipment.comment],
        ]}
      />
      <Lines shipment={shipment} />
      <div className={styles['signatures']}>
        {[t.paper.issuedBy, t.paper.carriedBy, t.paper.receivedBy].map((who) => (
          <div key={who}>
            <strong>{who}</strong>
            <p className={page['soft']}>{t.paper.signature}</p>
          </div>
        ))}
      </div>
    </section>
  )
}

function Lines({ shipment }: { readonly shipment: Shipment }) {
  const t = useMessages(shipmentMessages)
  const format = useFormat()
  const { day: onDay } = useFormat()
  const items = useItems()
  const lots = useLots(shipment.lines.map(({ lotId }) => lotId))
  const { item: head, lot: lotHead, expires, vvm, doses: dosesHead, vials, code } = t.paper
  return (
    <div className={styles['scroll']} tabIndex={0} role="region" aria-label={t.contents}>
      <table>
        <thead>
          <tr>
            {[head, lotHead, expires, vvm, dosesHead, vials, code].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shipment.lines.map(({ line, itemId, lotId, vvmStage, doses }) => {
            const item = items.get(itemId)
            const lot = lots.get(lotId)
            return (
              <tr key={line}>
                <th scope="row">{item?.name ?? '…'}</th>
                <td>{lot?.code ?? '…'}</td>
                <td>{lot && onDay(lot.expiresOn)}</td>
                <td>{vvmStage > 0 ? vvmStage : '–'}</td>
                <td>{format.number(doses)}</td>
                <td>{format.number(vialsOf(item, doses) ?? doses)}</td>
                <td>
                  <LotCode lotId={lotId} name={t.lotOf(item?.name ?? '…', lot?.code ?? '…')} />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** GS1 DataMatrix of a lot, for who checks what arrives; a product without a GTIN has none. */
function LotCode({ lotId, name }: { readonly lotId: string; readonly name: string }) {
  const t = useMessages(shipmentMessages)
  const label = useQuery({ ...query('getLotLabel', { params: { id: lotId } }), staleTime: 60_000 })
  if (label.isError) return t.paper.noCode
  return label.data && <Barcode kind="gs1datamatrix" text={label.data.text} label={t.paper.codeOf(name)} />
}

/** For the outside of the boxes. With an SSCC as GS1-128; without one a code of the shipment's address. */
function Label({ shipment }: { readonly shipment: Shipment }) {
  const t = useMessages(shipmentMessages)
  const format = useFormat()
  const { id, documentNo, sscc, toFacilityName, fromFacilityName, shippedAt, fromTimeZone } = shipment
  return (
    <section className={styles['label']}>
      <h2>
        {t.paper.label} {documentNo}
      </h2>
      <p className={styles['to']}>{toFacilityName}</p>
      <p>
        {fromFacilityName} · {format.time(shippedAt, fromTimeZone)}
      </p>
      <p className={page['strong']}>{t.paper.keepCold}</p>
      {sscc === null ? (
        <>
          <Barcode
            kind="datamatrix"
            text={`${window.location.origin}/shipments/${id}`}
            label={t.paper.codeOf(documentNo)}
          />
          <p className={page['soft']}>{t.paper.scanMe}</p>
        </>
      ) : (
        <>
          <Barcode kind="gs1-128" text={`(00)${sscc}`} label={t.paper.codeOf(documentNo)} />
          <p>(00) {sscc}</p>
        </>
      )}
    </section>
  )
}
