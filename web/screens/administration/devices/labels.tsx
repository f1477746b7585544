import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { encodeQR } from 'qr'
import { wholeList } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { PlacePicker } from '../../../controls/place-picker.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { useMessages } from '../../../messages.ts'
import type { Device } from '../../../operations.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { deviceMessages } from './messages.ts'

const route = getRouteApi('/administration/labels')

/** A sheet of labels for the devices of a place and below. */
export function Labels() {
  const t = useMessages(deviceMessages)
  const shared = useMessages(administrationMessages)
  const { facilityId } = route.useSearch()
  const navigate = route.useNavigate()
  const devices = useQuery(wholeList('listDevices', facilityId === undefined ? {} : { facilityId }))
  return (
    <>
      <Link to="/administration/devices" className={`${styles['back']} ${styles['screenOnly']}`}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={styles['head']}>
        <h1>{t.labelsTitle}</h1>
        <p>{t.labelsLead}</p>
      </header>
      <div className={styles['filters']}>
        <PlacePicker
          label={shared.place}
          value={facilityId}
          onChange={(chosen) => void navigate({ search: { facilityId: chosen }, replace: true })}
        />
        <Button kind="primary" isDisabled={!devices.data?.items.length} onPress={() => window.print()}>
          {t.print}
        </Button>
      </div>
      {devices.isError && <ProblemNote problem={devices.error} onRetry={() => void devices.refetch()} />}
      {devices.isPending && <Skeleton rows={3} />}
      {devices.data && <Sheet devices={devices.data.items} isWhole={devices.data.isWhole} />}
    </>
  )
}

function Sheet({ devices, isWhole }: { readonly devices: readonly Device[]; readonly isWhole: boolean }) {
  const t = useMessages(deviceMessages)
  if (devices.length === 0) return <p className={styles['panel']}>{t.noLabels}</p>
  return (
    <>
      <p className={`${styles['soft']} ${styles['screenOnly']}`}>
        {isWhole ? t.labelsCount(devices.length) : t.labelsPart}
      </p>
      <ul className={styles['labels']}>
        {devices.map((device) => (
          <li key={device.id} className={styles['label']}>
            <Code text={`${location.origin}/devices/${device.id}`} />
            <div>
              <strong>{device.name}</strong>
              {[device.equipmentName, device.facilityName].filter(Boolean).join(' · ')}
              <br />
              <code>{device.id.slice(-12)}</code>
            </div>
          </li>
        ))}
      </ul>
    </>
  )
}

/** A QR code as one path, a unit for each module, with the quiet zone that ISO/IEC 18004 asks for. */
function Code({ text }: { readonly text: string }) {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 })
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg viewBox={`0 0 ${rows.length} ${rows.length}`} aria-hidden="true" shapeRendering="crispEdges">
      <path d={path} fill="currentColor" />
    </svg>
  )
}
