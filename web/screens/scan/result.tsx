import { Navigate } from '@tanstack/react-router'
import { call, useMay } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Icon } from '../../controls/icon.tsx'
import { LinkButton } from '../../controls/link-button.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Scan } from '../../operations.ts'
import { LotChips, useAmount } from '../stock/describe.tsx'
import { lineKey } from '../stock/lines.ts'
import { stockMessages } from '../stock/messages.ts'
import type { Move } from '../stock/routes.ts'
import { useItems } from '../stock/use-place.ts'
import { scanMessages } from './messages.ts'

interface Props {
  readonly scan: Scan
  readonly place: string | undefined
}

/** What a code is about. The code of a shipment opens it. */
export function Result({ scan, place }: Props) {
  const t = useMessages(scanMessages)
  const { shipment, tradeItem, warnings, unknown } = scan
  if (shipment)
    return (
      <Navigate
        to="/shipments/$shipmentId"
        params={{ shipmentId: shipment.id }}
        search={shipment.status === 'shipped' ? { receive: true } : {}}
        replace
      />
    )
  return (
    <>
      {tradeItem && <What scan={scan} />}
      {warnings.map(({ code }) => (
        <p key={code} role="alert" className={page['warning']}>
          <Icon name="alarm" />
          {t.warnings[code]}
        </p>
      ))}
      {tradeItem ? (
        <>
          {unknown.includes('lot') && <UnknownLot scan={scan} />}
          <Here scan={scan} place={place} />
          <Doings scan={scan} place={place} />
        </>
      ) : (
        <Unknown scan={scan} />
      )}
    </>
  )
}

/** What the code names and nobody here has heard of. */
function Unknown({ scan: { read, unknown } }: { readonly scan: Scan }) {
  const t = useMessages(scanMessages)
  const gtin = read.gtin ?? read.contentGtin ?? ''
  if (unknown.includes('tradeItem')) return <p role="alert">{t.unknown.tradeItem(gtin)}</p>
  if (unknown.includes('shipment')) return <p role="alert">{t.unknown.shipment(read.sscc ?? '')}</p>
  return <p>{t.unknown.nothing}</p>
}

function What({ scan: { tradeItem, lot, read } }: { readonly scan: Scan }) {
  const t = useMessages(scanMessages)
  const { day: onDay } = useFormat()
  const lotCode = lot?.code ?? read.lotCode
  const expiresOn = lot?.expiresOn ?? read.expiresOn
  return (
    <>
      <h2>{tradeItem?.itemName}</h2>
      <p>
        {[
          lotCode !== null && t.lot(lotCode),
          expiresOn !== null && t.expires(onDay(expiresOn)),
          read.serial !== null && t.serial(read.serial),
          tradeItem?.name,
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
    </>
  )
}

/** A lot that nobody has registered yet: it is registered where it arrives first. */
function UnknownLot({ scan: { newLot, read } }: { readonly scan: Scan }) {
  const t = useMessages(scanMessages)
  const may = useMay('createLot')
  const act = useOnce(
    async (key: string, body: NonNullable<Scan['newLot']>) => call('createLot', { body, key }),
    { outdates: ['scanCode', 'listLots'], onDone: (lot) => toast(t.registered(lot.code)) },
  )
  return (
    <>
      <p role="alert">
        {t.unknown.lot(read.lotCode ?? '')} {!may && t.askManager}
      </p>
      {act.isError && <ProblemNote problem={act.error} />}
      {may && newLot && (
        <div className={page['buttons']}>
          <Button kind="primary" isDisabled={act.isPending} onPress={() => act.mutate(newLot)}>
            {t.register(newLot.code)}
          </Button>
        </div>
      )}
    </>
  )
}

function Here({ scan: { onHand, lot, tradeItem }, place }: Props) {
  const t = useMessages(scanMessages)
  const amount = useAmount()
  const item = useItems().get(tradeItem?.itemId ?? '')
  if (!lot || onHand === null) return undefined
  const here = onHand.filter(({ facilityId, doses }) => facilityId === place && doses > 0)
  if (here.length === 0) return <p>{t.nothingHere}</p>
  return (
    <>
      <h3>{t.here}</h3>
      <ul className={page['plain']}>
        {here.map((line) => (
          <li key={lineKey(line)} className={page['entry']}>
            <strong>{amount(item, line.doses)}</strong>
            <p className={page['chips']}>
              <LotChips line={line} item={item} />
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}

/** What can be recorded of the lot, with it filled in; nothing that gives it to people when it must not be used. */
function Doings({ scan: { tradeItem, lot, onHand, warnings }, place }: Props) {
  const t = useMessages(scanMessages)
  const stock = useMessages(stockMessages)
  const may = useMay('recordStockEvent')
  if (!tradeItem) return undefined
  const isBad = warnings.some(({ code }) => code === 'expired' || code === 'recalled')
  const isHere = onHand?.some(({ facilityId, doses }) => facilityId === place && doses > 0) ?? false
  const moves: readonly Move[] = isHere
    ? isBad
      ? ['count', 'wastage']
      : ['consume', 'issue', 'receive', 'count', 'wastage']
    : isBad
      ? []
      : ['receive']
  return (
    <>
      {place === undefined && <p>{t.choosePlace}</p>}
      <div className={page['buttons']}>
        {lot &&
          may &&
          place !== undefined &&
          moves.map((move, at) => (
            <LinkButton
              key={move}
              kind={at === 0 ? 'primary' : 'normal'}
              to="/stock/$itemId"
              params={{ itemId: tradeItem.itemId }}
              search={{ facilityId: place, move, lotId: lot.id }}
            >
              {stock.moves[move]}
            </LinkButton>
          ))}
        <LinkButton
          kind="normal"
          to="/stock/$itemId"
          params={{ itemId: tradeItem.itemId }}
          search={{ facilityId: place }}
        >
          {t.open}
        </LinkButton>
      </div>
    </>
  )
}
