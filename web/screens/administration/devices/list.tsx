import { getRouteApi, Link } from '@tanstack/react-router'
import { Chip } from '../../../controls/chip.tsx'
import { Choice } from '../../../controls/choice.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { PlacePicker } from '../../../controls/place-picker.tsx'
import { SearchField } from '../../../controls/search-field.tsx'
import { useMessages } from '../../../messages.ts'
import type { Device } from '../../../operations.ts'
import { usePaged } from '../../../paged.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { deviceMessages } from './messages.ts'

const PAGE_ROWS = 50
const SHOWS = ['all', 'unplaced'] as const
const route = getRouteApi('/administration/devices')

export function DeviceList() {
  const t = useMessages(deviceMessages)
  const search = route.useSearch()
  const isUnplaced = search.show === 'unplaced'
  const { show: _, ...narrowed } = search
  const devices = usePaged('listDevices', {
    ...narrowed,
    ...(isUnplaced && { unplaced: true }),
    limit: PAGE_ROWS,
  })
  const isFiltered = Object.keys(narrowed).length > 0
  const nothing = isFiltered ? t.nothing : isUnplaced ? t.nothingUnplaced : t.nothingYet
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.title}</h1>
        <p>{isUnplaced ? t.unplacedLead : t.lead}</p>
      </header>
      <Filters />
      <PagedList of={devices} empty={<p className={styles['panel']}>{nothing}</p>}>
        {(items) => (
          <ul className={styles['rows']}>
            {items.map((device) => (
              <Row key={device.id} device={device} />
            ))}
          </ul>
        )}
      </PagedList>
    </>
  )
}

function Filters() {
  const t = useMessages(deviceMessages)
  const shared = useMessages(administrationMessages)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const narrow = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <div className={styles['filters']} role="search" aria-label={shared.filter}>
      <SearchField label={t.search} value={search.q} onChange={(q) => narrow({ q })} />
      <PlacePicker
        label={shared.place}
        value={search.facilityId}
        onChange={(facilityId) => narrow({ facilityId })}
      />
      <Choice
        label={t.show}
        options={SHOWS.map((value) => ({ value, label: t.shows[value] }))}
        value={search.show === 'unplaced' ? 'unplaced' : 'all'}
        onChange={(value) => narrow({ show: value === 'all' ? undefined : value })}
      />
      <Link
        to="/administration/labels"
        search={{ ...(search.facilityId !== undefined && { facilityId: search.facilityId }) }}
        className={styles['back']}
      >
        {t.labels}
      </Link>
    </div>
  )
}

function Row({ device }: { readonly device: Device }) {
  const t = useMessages(deviceMessages)
  const { id, name, facilityName, equipmentName, isGateway, gatewayId, disabled } = device
  const kind = isGateway ? t.gateway : gatewayId === null ? undefined : t.behind
  return (
    <li>
      <div>
        <Link to="/administration/devices/$deviceId" params={{ deviceId: id }} className={styles['name']}>
          {name}
        </Link>
        <p className={styles['soft']}>{[facilityName, kind].filter(Boolean).join(' · ')}</p>
      </div>
      <p className={styles['soft']}>{equipmentName ?? t.nowhere}</p>
      <InUseChip disabled={disabled} />
    </li>
  )
}

export function InUseChip({ disabled }: { readonly disabled: boolean }) {
  const t = useMessages(deviceMessages)
  return <Chip state={disabled ? 'unknown' : 'in-range'}>{disabled ? t.disabled : t.active}</Chip>
}
