import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { query, wholeList } from '../../api.ts'
import { Chart } from '../../controls/chart.tsx'
import { Chip } from '../../controls/chip.tsx'
import { extentOf, plotted, type Bucketed, type Span } from '../../controls/series.ts'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useMessages } from '../../messages.ts'
import type { Equipment, Facility, StatedEquipment } from '../../operations.ts'
import { refrigeratorMessages } from './messages.ts'
import { bucketsQuery, limitsOf, thermometersOf, useSilentAfterMs } from './readings.ts'
import styles from './refrigerators.module.css'
import { TOGETHER, useTemperatureAt } from './temperature-at.ts'

const NEIGHBOURS_MAX = 12
const STEPS = 200

interface Props {
  readonly equipment: Equipment
  readonly facility: Facility
  readonly span: Span
}

/** The other equipment of the place over the same time and on the same scale: what is the room's shows in all of them, what is one's own in one. */
export function Neighbours({ equipment, facility, span }: Props) {
  const t = useMessages(refrigeratorMessages)
  const facilityId = facility.id
  const states = useQuery(wholeList('listEquipmentStates', { facilityId }))
  const devices = useQuery(query('listDevices', { query: { facilityId, latest: true, limit: 200 } }))
  const others = (states.data?.items ?? [])
    .filter((one) => one.facilityId === facilityId && one.id !== equipment.id)
    .slice(0, NEIGHBOURS_MAX)
  const measured = others.map((other) => {
    const own = devices.data?.items.filter(({ equipmentId }) => equipmentId === other.id)
    return thermometersOf(own ?? [])[0]
  })
  const answers = useQueries({
    queries: measured.map((one) => ({
      ...bucketsQuery(one ?? NOTHING, span, STEPS),
      enabled: one !== undefined,
    })),
  })
  if (!states.data || !devices.data) return <Skeleton rows={2} />
  if (others.length === 0) return <p>{t.noNeighbours}</p>
  const extents = answers.flatMap(({ data }) => extentOf(data?.items ?? []) ?? [])
  const low = Math.min(...extents)
  const high = Math.max(...extents)
  return (
    <ul className={styles['neighbours']}>
      {others.map((other, index) => (
        <Neighbour
          key={other.id}
          other={other}
          bucketed={answers[index]?.data}
          deviceId={measured[index]?.deviceId}
          span={span}
          low={low}
          high={high}
        />
      ))}
    </ul>
  )
}

const NOTHING = { deviceId: '', sensor: 'main', quantity: 'temperature' } as const

interface NeighbourProps {
  readonly other: StatedEquipment
  readonly bucketed: Bucketed | undefined
  readonly deviceId: string | undefined
  readonly span: Span
  readonly low: number
  readonly high: number
}

function Neighbour({ other, bucketed, deviceId, span, low, high }: NeighbourProps) {
  const t = useMessages(refrigeratorMessages)
  const rules = useQuery(query('listEquipmentRules', { params: { id: other.id } })).data?.items
  const describe = useTemperatureAt(other.timeZone)
  const silentAfterMs = useSilentAfterMs(deviceId)
  const curve = useMemo(
    () => bucketed && plotted(bucketed, silentAfterMs, Date.now()),
    [bucketed, silentAfterMs],
  )
  const range = useMemo(() => (low <= high ? ([low, high] as const) : undefined), [low, high])
  const limits = useMemo(() => limitsOf(rules ?? [], 'temperature'), [rules])
  return (
    <li>
      <p className={styles['buttons']}>
        <Link to="/refrigerators/$equipmentId" params={{ equipmentId: other.id }} className={styles['name']}>
          {other.name}
        </Link>
        <Chip state={other.state}>{t.states[other.state]}</Chip>
      </p>
      {deviceId === undefined && <p>{t.noReadings}</p>}
      {curve && (
        <Chart
          label={t.curve}
          size="middle"
          plotted={curve}
          timeZone={other.timeZone}
          together={TOGETHER}
          {...{ span, describe, limits, range }}
        />
      )}
    </li>
  )
}
