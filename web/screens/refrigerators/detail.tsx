import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Problem, query } from '../../api.ts'
import { Icon } from '../../controls/icon.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach, Equipment, Facility } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { KindChip } from '../breaches/describe.tsx'
import { Curve } from './curve.tsx'
import { Facts } from './list.tsx'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

const LOTS_MAX = 200
const route = getRouteApi('/refrigerators/$equipmentId')

export function Detail() {
  const { equipmentId } = route.useParams()
  const equipment = useQuery(query('getEquipment', { params: { id: equipmentId } }))
  const facilityId = equipment.data?.facilityId ?? ''
  const facility = useQuery({
    ...query('getFacility', { params: { id: facilityId } }),
    enabled: facilityId !== '',
  })
  const problem = equipment.error ?? facility.error
  if (problem instanceof Problem && [400, 404].includes(problem.status)) return <NotFound />
  if (problem) return <ProblemNote problem={problem} onRetry={() => void equipment.refetch()} />
  if (!equipment.data || !facility.data) return <Skeleton rows={4} />
  return <Found equipment={equipment.data} facility={facility.data} />
}

interface Props {
  readonly equipment: Equipment
  readonly facility: Facility
}

function Found({ equipment, facility }: Props) {
  const t = useMessages(refrigeratorMessages)
  const { id, storagePointId } = equipment
  const devices = useQuery(query('listDevices', { query: { equipmentId: id, latest: true } }))
  const open = useQuery(query('listBreaches', { query: { equipmentId: id, state: 'open' } }))
  const device = devices.data?.items[0]
  return (
    <>
      <Link to="/refrigerators" className={styles['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={styles['head']}>
        <h1>{equipment.name}</h1>
        <p>{facility.name}</p>
      </header>
      <Open breaches={open.data?.items ?? []} />
      <Now equipment={equipment} facility={facility} latest={device?.latest?.[0]} />
      {devices.isError && <ProblemNote problem={devices.error} onRetry={() => void devices.refetch()} />}
      {devices.data && <Measured equipment={equipment} facility={facility} deviceId={device?.id} />}
      {storagePointId !== null && <Inside storagePointId={storagePointId} />}
      {devices.data && <Devices names={devices.data.items.map(({ name }) => name)} />}
    </>
  )
}

function Measured({ equipment, facility, deviceId }: Props & { readonly deviceId: string | undefined }) {
  const t = useMessages(refrigeratorMessages)
  if (deviceId === undefined) return <p className={styles['panel']}>{t.noDevice}</p>
  return <Curve deviceId={deviceId} equipmentId={equipment.id} timeZone={facility.timeZone} />
}

function Devices({ names }: { readonly names: readonly string[] }) {
  const t = useMessages(refrigeratorMessages)
  if (names.length === 0) return undefined
  return (
    <section className={styles['panel']}>
      <h2>{t.devices}</h2>
      <ul>
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </section>
  )
}

function Open({ breaches }: { readonly breaches: readonly Breach[] }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  return (
    <ul className={styles['list']}>
      {breaches.map((breach) => (
        <li key={breach.id} className={styles['row']}>
          <div>
            <KindChip breach={breach} />
            <p>
              {t.since}: {format.time(breach.startAt, breach.timeZone)}
            </p>
          </div>
          <Link to="/breaches/$breachId" params={{ breachId: breach.id }} className={styles['name']}>
            {t.breach}
          </Link>
        </li>
      ))}
    </ul>
  )
}

interface NowProps extends Props {
  readonly latest: { readonly time: string; readonly values: { readonly temperature?: number } } | undefined
}

function Now({ equipment, facility, latest }: NowProps) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const { data } = useQuery(query('getTimeToBreach', { params: { id: equipment.id } }))
  const celsius = latest?.values.temperature
  const isWarming = data?.state === 'warming' && data.medianAt !== null
  return (
    <div className={styles['panel']}>
      <Facts
        facts={[
          [t.now, celsius === undefined ? undefined : format.value(celsius, 'temperature')],
          [t.measuredAt, latest && format.time(latest.time, facility.timeZone)],
          [t.limitAt, isWarming ? format.time(data.medianAt ?? '', facility.timeZone) : undefined],
        ]}
      />
    </div>
  )
}

function Inside({ storagePointId }: { readonly storagePointId: string }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const stock = useQuery(query('listStock', { query: { storagePointId, limit: LOTS_MAX } }))
  const lots = stock.data?.items.filter(({ doses }) => doses > 0)
  return (
    <section className={styles['panel']}>
      <h2>{t.inside}</h2>
      {stock.isError && <ProblemNote problem={stock.error} onRetry={() => void stock.refetch()} />}
      {lots?.length === 0 && <p>{t.nothingInside}</p>}
      {lots && lots.length > 0 && (
        <table className={styles['table']}>
          <thead>
            <tr>
              <th scope="col">{t.lot}</th>
              <th scope="col">{t.expires}</th>
              <th scope="col">{t.doses}</th>
            </tr>
          </thead>
          <tbody>
            {lots.map((lot) => (
              <tr key={`${lot.lotId}.${lot.vvmStage}.${lot.held}`}>
                <th scope="row">{lot.lotCode}</th>
                <td>{lot.expiresOn}</td>
                <td>{format.number(lot.doses)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
