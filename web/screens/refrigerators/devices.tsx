import { useQuery } from '@tanstack/react-query'
import { query } from '../../api.ts'
import { Chip } from '../../controls/chip.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Calibration, Device, DeviceWatch } from '../../operations.ts'
import { Facts } from './list.tsx'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

/** Before the day on which a calibration ends, so that somebody can be sent in time. */
const SOON_MS = 30 * 86_400_000

interface Props {
  readonly devices: readonly Device[]
  readonly timeZone: string
}

/** What measures, whether it is heard, and until when it can be trusted. */
export function Devices({ devices, timeZone }: Props) {
  const t = useMessages(refrigeratorMessages)
  if (devices.length === 0) return undefined
  return (
    <section className={styles['panel']}>
      <h2>{t.devices}</h2>
      <ul className={styles['plain']}>
        {devices.map((device) => (
          <One key={device.id} device={device} timeZone={timeZone} />
        ))}
      </ul>
    </section>
  )
}

function One({ device, timeZone }: { readonly device: Device; readonly timeZone: string }) {
  const t = useMessages(refrigeratorMessages)
  const detail = useQuery(query('getDevice', { params: { id: device.id } }))
  const calibrations = useQuery(query('listCalibrations', { params: { id: device.id } }))
  return (
    <li>
      <h3>{device.name}</h3>
      <p className={styles['chips']}>
        {device.disabled && <Chip state="unknown">{t.disabled}</Chip>}
        {detail.data?.watch?.silentSince != null && <Chip state="silent">{t.states.silent}</Chip>}
        {calibrations.data && (
          <CalibrationChip newest={calibrations.data.items.find(({ isNewest }) => isNewest)} />
        )}
      </p>
      {calibrations.isError && (
        <ProblemNote problem={calibrations.error} onRetry={() => void calibrations.refetch()} />
      )}
      <Heard watch={detail.data?.watch ?? undefined} device={device} timeZone={timeZone} />
    </li>
  )
}

interface HeardProps {
  readonly watch: DeviceWatch | undefined
  readonly device: Device
  readonly timeZone: string
}

function Heard({ watch, device, timeZone }: HeardProps) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const battery = device.latest?.find(({ values }) => values.battery !== undefined)?.values.battery
  return (
    <Facts
      facts={[
        [t.lastHeard, watch && format.time(watch.lastHeardAt, timeZone)],
        [t.cadence, watch?.cadenceSeconds == null ? undefined : format.span(watch.cadenceSeconds)],
        [t.silentAfter, watch && format.span(watch.silentAfterSeconds)],
        [t.battery, battery === undefined ? undefined : format.value(battery, 'battery')],
      ]}
    />
  )
}

function CalibrationChip({ newest }: { readonly newest: Calibration | undefined }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  if (!newest) return <Chip state="unknown">{t.neverCalibrated}</Chip>
  const leftMs = Date.parse(newest.dueAt) - Date.now()
  const day = format.day(newest.dueAt.slice(0, 10))
  if (leftMs < 0)
    return (
      <Chip state="warm" icon="alarm">
        {t.calibrationOver(day)}
      </Chip>
    )
  return (
    <Chip state={leftMs < SOON_MS ? 'silent' : 'in-range'} icon={leftMs < SOON_MS ? 'clock' : 'check'}>
      {t.calibrationDue(day)}
    </Chip>
  )
}
