import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { query, useMay } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { useFormat, type Format } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach, Device, Equipment, EquipmentTimeToBreach, StatedEquipment } from '../../operations.ts'
import { Acknowledge } from '../breaches/acts.tsx'
import { KindChip, StateChip } from '../breaches/describe.tsx'
import { useRuleName } from '../rules/describe.tsx'
import { Facts } from './list.tsx'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'

interface Props {
  readonly equipment: Equipment
  readonly timeZone: string
  readonly stated: StatedEquipment | undefined
  readonly devices: readonly Device[]
}

/** What a person must know first: how it is, since when, what is at risk, and where to act. */
export function Now(props: Props) {
  const t = useMessages(refrigeratorMessages)
  const { equipment, stated } = props
  const open = useQuery(query('listBreaches', { query: { equipmentId: equipment.id, state: 'open' } }))
  return (
    <section className={styles['panel']} aria-label={t.state}>
      {stated && (
        <p className={styles['chips']}>
          <Chip state={stated.state}>{t.states[stated.state]}</Chip>
        </p>
      )}
      <Known {...props} />
      <Open breaches={open.data?.items ?? []} />
    </section>
  )
}

function Known({ equipment: { id }, timeZone, stated, devices }: Props) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const { data: forecast } = useQuery(query('getTimeToBreach', { params: { id } }))
  const { celsius, at } = newestOf(stated, devices)
  const time = (iso: string | null | undefined) => (iso == null ? undefined : format.time(iso, timeZone))
  return (
    <Facts
      facts={[
        [t.now, celsius === undefined ? undefined : format.value(celsius, 'temperature')],
        [t.measuredAt, time(at)],
        [t.since, time(stated?.since)],
        [t.powerOutSince, time(forecast?.powerOutSince)],
        [t.limitAt, forecast && limitAt(forecast, format, timeZone)],
        [t.doses, stated?.doses == null ? undefined : format.number(stated.doses)],
      ]}
    />
  )
}

function newestOf(stated: StatedEquipment | undefined, devices: readonly Device[]) {
  if (stated && stated.celsius !== null) return { celsius: stated.celsius, at: stated.celsiusAt }
  const latest = devices.flatMap((one) => one.latest ?? []).find(({ values }) => 'temperature' in values)
  return { celsius: latest?.values.temperature, at: latest?.time }
}

/** Between which moments the limit is likely to be reached, in hours from now. */
function limitAt(forecast: EquipmentTimeToBreach, format: Format, timeZone: string): string | undefined {
  const { state, medianAt, lowHours, highHours } = forecast
  if (state !== 'warming' || medianAt === null) return undefined
  const hours = [lowHours, highHours].filter((one) => one !== null).map((one) => format.number(one))
  return `${format.time(medianAt, timeZone)}${hours.length === 2 ? ` (${hours.join(' – ')} h)` : ''}`
}

function Open({ breaches }: { readonly breaches: readonly Breach[] }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const nameOf = useRuleName(breaches[0]?.equipmentId ?? null)
  const mayAcknowledge = useMay('acknowledgeBreach')
  const [chosen, setChosen] = useState<Breach>()
  if (breaches.length === 0) return undefined
  return (
    <ul className={styles['plain']}>
      {breaches.map((breach) => (
        <li key={breach.id} className={styles['open']}>
          <div>
            <p className={styles['chips']}>
              <KindChip breach={breach} />
              <StateChip breach={breach} />
            </p>
            <p>
              {nameOf(breach)} · {t.since}: {format.time(breach.startAt, breach.timeZone)}
            </p>
          </div>
          <div className={styles['buttons']}>
            {mayAcknowledge && breach.acknowledgedAt === null && (
              <Button
                kind="primary"
                aria-label={`${t.acknowledge}: ${nameOf(breach)}`}
                onPress={() => setChosen(breach)}
              >
                {t.acknowledge}
              </Button>
            )}
            <Link to="/breaches/$breachId" params={{ breachId: breach.id }} className={styles['name']}>
              {t.breach}
            </Link>
          </div>
        </li>
      ))}
      {chosen && <Acknowledge breach={chosen} onClose={() => setChosen(undefined)} />}
    </ul>
  )
}
