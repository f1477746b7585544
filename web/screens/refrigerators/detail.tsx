import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Problem, query, wholeList } from '../../api.ts'
import { AgeNote } from '../../controls/age-note.tsx'
import { Icon } from '../../controls/icon.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useMessages } from '../../messages.ts'
import type { Equipment, Facility } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { AssignedRules } from '../rules/assigned.tsx'
import { Curve } from './curve.tsx'
import { Devices } from './devices.tsx'
import { Exposure } from './exposure.tsx'
import { Inside } from './inside.tsx'
import { refrigeratorMessages } from './messages.ts'
import { Now } from './now.tsx'
import styles from './refrigerators.module.css'

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
  return <Found key={equipmentId} equipment={equipment.data} facility={facility.data} />
}

interface Props {
  readonly equipment: Equipment
  readonly facility: Facility
}

function Found({ equipment, facility }: Props) {
  const t = useMessages(refrigeratorMessages)
  const { id, storagePointId } = equipment
  const { timeZone } = facility
  const devices = useQuery(query('listDevices', { query: { equipmentId: id, latest: true } }))
  const states = useQuery(wholeList('listEquipmentStates', { facilityId: facility.id }))
  return (
    <>
      <Link to="/refrigerators" className={styles['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={styles['head']}>
        <h1>{equipment.name}</h1>
        <p>{facility.name}</p>
      </header>
      <AgeNote of={devices} />
      <Now
        equipment={equipment}
        timeZone={timeZone}
        stated={states.data?.items.find((one) => one.id === id)}
        devices={devices.data?.items ?? []}
      />
      {devices.isError && <ProblemNote problem={devices.error} onRetry={() => void devices.refetch()} />}
      {devices.isPending && <Skeleton rows={3} />}
      {devices.data && <Curve equipment={equipment} facility={facility} devices={devices.data.items} />}
      <Inside storagePointId={storagePointId} />
      <div className={styles['columns']}>
        <Exposure equipmentId={id} timeZone={timeZone} />
        <div>
          {devices.data && <Devices devices={devices.data.items} timeZone={timeZone} />}
          <AssignedRules equipment={equipment} />
        </div>
      </div>
    </>
  )
}
