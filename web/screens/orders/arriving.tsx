import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { query, useMay } from '../../api.ts'
import { Icon } from '../../controls/icon.tsx'
import page from '../../controls/page.module.css'
import { useMessages } from '../../messages.ts'
import { shipmentMessages } from './shipment-messages.ts'

const SHOWN_MAX = 50

interface Props {
  /** Without it nothing can be received. */
  readonly facilityId: string | undefined
  /** Only what brings some of it. */
  readonly itemId?: string
}

/** Shipments on their way to a place, to be received there; nothing when there are none. */
export function Arriving({ facilityId, itemId }: Props) {
  const t = useMessages(shipmentMessages)
  const may = useMay('receiveShipment')
  const asked = { facilityId: facilityId ?? '', status: 'shipped' as const, limit: SHOWN_MAX }
  const isAsked = may && facilityId !== undefined
  const shipments =
    useQuery({ ...query('listShipments', { query: asked }), enabled: isAsked }).data?.items ?? []
  const here = shipments.filter(
    ({ toFacilityId, lines }) =>
      toFacilityId === facilityId && (itemId === undefined || lines.some((line) => line.itemId === itemId)),
  )
  if (here.length === 0) return undefined
  return (
    <section className={page['panel']}>
      <h2>{t.arriving}</h2>
      <ul className={page['plain']}>
        {here.map(({ id, documentNo, fromFacilityName }) => (
          <li key={id}>
            <Link
              to="/shipments/$shipmentId"
              params={{ shipmentId: id }}
              search={{ receive: true }}
              className={page['link']}
            >
              <Icon name="truck" /> {t.arrivingFrom(documentNo, fromFacilityName)}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
