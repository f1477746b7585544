import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Problem, query, useMay } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { DeviceDetail as Detail, Facility } from '../../../operations.ts'
import { NotFound } from '../../../shell/not-found.tsx'
import styles from '../administration.module.css'
import { Facts } from '../facts.tsx'
import { EditDevice, NewToken, SwitchDevice } from './forms.tsx'
import { InUseChip } from './list.tsx'
import { deviceMessages } from './messages.ts'

const route = getRouteApi('/administration/devices/$deviceId')

export function DeviceDetail() {
  const { deviceId } = route.useParams()
  const device = useQuery(query('getDevice', { params: { id: deviceId } }))
  const facilityId = device.data?.facilityId ?? ''
  const place = useQuery({
    ...query('getFacility', { params: { id: facilityId } }),
    enabled: facilityId !== '',
  })
  if (device.error instanceof Problem && [400, 404].includes(device.error.status)) return <NotFound />
  if (device.isError) return <ProblemNote problem={device.error} onRetry={() => void device.refetch()} />
  if (!device.data) return <Skeleton rows={4} />
  return <Found device={device.data} place={place.data} />
}

interface Props {
  readonly device: Detail
  readonly place: Facility | undefined
}

function Found({ device, place }: Props) {
  const t = useMessages(deviceMessages)
  const { id, name, facilityName, disabled } = device
  return (
    <>
      <Link to="/administration/devices" className={styles['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={styles['head']}>
        <h1>{name}</h1>
        <p>{facilityName}</p>
        <p>
          <InUseChip disabled={disabled} />
        </p>
      </header>
      <Acts device={device} />
      <section className={styles['panel']}>
        <State device={device} place={place} />
        <p className={styles['refs']}>
          {device.equipmentId !== null && (
            <Link to="/refrigerators/$equipmentId" params={{ equipmentId: device.equipmentId }}>
              {device.equipmentName}
            </Link>
          )}
          <Link to="/administration/refusals" search={{ deviceId: id }}>
            {t.refusalsOf}
          </Link>
        </p>
      </section>
      {device.attributes.length > 0 && (
        <section className={styles['panel']}>
          <h2>{t.attributes}</h2>
          <Facts facts={device.attributes.map(({ key, value }) => [key, value] as const)} />
        </section>
      )}
    </>
  )
}

function State({ device, place }: Props) {
  const t = useMessages(deviceMessages)
  const format = useFormat()
  const { watch, equipmentName } = device
  const unplaced = useUnplacedName(device)
  const time = (iso: string) => format.time(iso, place?.timeZone ?? null)
  const what = [t.watches, equipmentName ?? unplaced] as const
  if (!watch) return <Facts facts={[what, [t.heard, t.neverHeard]]} />
  const { cadenceSeconds, cadenceIs, lastHeardAt, newestAt, silentSince } = watch
  const how = cadenceIs === 'set' ? t.cadenceSet : t.cadenceLearned
  return (
    <Facts
      facts={[
        what,
        [t.heard, time(lastHeardAt)],
        [t.newest, time(newestAt)],
        [t.cadence, cadenceSeconds === null ? undefined : `${format.span(cadenceSeconds)} (${how})`],
        [t.silent, silentSince === null ? undefined : time(silentSince)],
      ]}
    />
  )
}

function useUnplacedName({ isGateway, gatewayId }: Detail): string {
  const t = useMessages(deviceMessages)
  if (isGateway) return t.gateway
  return gatewayId === null ? t.nowhere : t.behind
}

function Acts({ device }: { readonly device: Detail }) {
  const t = useMessages(deviceMessages)
  const [open, setOpen] = useState<'edit' | 'token' | 'switch'>()
  const mayChange = useMay('updateDevice')
  const mayRotate = useMay('rotateDeviceToken') && device.gatewayId === null
  const onClose = () => setOpen(undefined)
  return (
    <div className={styles['buttons']}>
      {mayChange && (
        <Button kind={device.equipmentId === null ? 'primary' : 'normal'} onPress={() => setOpen('edit')}>
          {t.edit}
        </Button>
      )}
      {mayRotate && (
        <Button kind="normal" onPress={() => setOpen('token')}>
          {t.token}
        </Button>
      )}
      {mayChange && (
        <Button kind="normal" onPress={() => setOpen('switch')}>
          {device.disabled ? t.enable : t.disable}
        </Button>
      )}
      {open === 'edit' && <EditDevice device={device} onClose={onClose} />}
      {open === 'token' && <NewToken device={device} onClose={onClose} />}
      {open === 'switch' && <SwitchDevice device={device} onClose={onClose} />}
    </div>
  )
}
