import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { query } from '../../api.ts'
import { AgeNote } from '../../controls/age-note.tsx'
import { Chip } from '../../controls/chip.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Overview as OverviewAnswer, PlaceStates } from '../../operations.ts'
import { refrigeratorMessages } from '../refrigerators/messages.ts'
import { STATES } from '../refrigerators/routes.ts'
import { overviewMessages } from './messages.ts'
import { Needs } from './needs.tsx'
import styles from './overview.module.css'
import { Places } from './places.tsx'
import { Refrigerators } from './refrigerators.tsx'
import { totalOf, type States } from './states.ts'

/** What the stream does not tell, such as an order that was submitted, is seen within this time. */
const REFRESH_MS = 60_000
const route = getRouteApi('/')

export function Overview() {
  const { facilityId } = route.useSearch()
  const asked = { query: facilityId === undefined ? {} : { facilityId } }
  const overview = useQuery({ ...query('getOverview', asked), refetchInterval: REFRESH_MS })
  const places = useQuery({ ...query('countEquipmentStates', asked), refetchInterval: REFRESH_MS })
  const states = places.data && totalOf(places.data.items)
  return (
    <>
      <Head of={overview.data} facilityId={facilityId} />
      <AgeNote of={overview} />
      {states && <StateLinks states={states} facilityId={facilityId} />}
      <div className={styles['columns']}>
        <div className={styles['column']}>
          <Unless there={overview} />
          {overview.data && states && (
            <Needs overview={overview.data} states={states} asOf={overview.dataUpdatedAt} />
          )}
        </div>
        <div className={styles['column']}>
          <Unless there={places} />
          {places.data && <Below places={places.data.items} place={overview.data?.place ?? null} />}
        </div>
      </div>
    </>
  )
}

/** What is shown of an answer that is not there: its shape, or why not. */
function Unless({ there }: { readonly there: UseQueryResult }) {
  if (there.data !== undefined) return undefined
  return there.isError ? (
    <ProblemNote problem={there.error} onRetry={() => void there.refetch()} />
  ) : (
    <Skeleton rows={4} />
  )
}

interface BelowProps {
  readonly places: readonly PlaceStates[]
  readonly place: OverviewAnswer['place']
}

/** The places below, or else what stands here. */
function Below({ places, place }: BelowProps) {
  if (places.some(({ isItself }) => !isItself)) return <Places places={places} />
  return place ? <Refrigerators facilityId={place.id} /> : undefined
}

interface HeadProps {
  readonly of: OverviewAnswer | undefined
  readonly facilityId: string | undefined
}

/** The place, and the way up from it. */
function Head({ of, facilityId }: HeadProps) {
  const t = useMessages(overviewMessages)
  const heading = useFocusOnPlace(facilityId)
  const parents = of?.place?.parents ?? []
  return (
    <header className={styles['head']}>
      {parents.length > 0 && (
        <nav aria-label={t.above}>
          <ol className={styles['trail']}>
            {parents.map(({ id, name }) => (
              <li key={id}>
                <Link to="/" search={{ facilityId: id }}>
                  {name}
                </Link>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <h1 ref={heading} tabIndex={-1}>
        {of === undefined ? '…' : (of.place?.name ?? t.everywhere)}
      </h1>
    </header>
  )
}

/** Another place is another screen, although only the filter in the address differs: a screen reader and the keyboard follow. */
function useFocusOnPlace(facilityId: string | undefined) {
  const heading = useRef<HTMLHeadingElement>(null)
  const last = useRef(facilityId)
  useEffect(() => {
    if (last.current === facilityId) return
    last.current = facilityId
    heading.current?.focus()
    window.scrollTo(0, 0)
  }, [facilityId])
  return heading
}

interface StateProps {
  readonly states: States
  readonly facilityId: string | undefined
}

/** How many are how; each opens the list of them. */
function StateLinks({ states, facilityId }: StateProps) {
  const t = useMessages(overviewMessages)
  const names = useMessages(refrigeratorMessages).states
  const format = useFormat()
  return (
    <ul className={styles['states']} aria-label={t.states}>
      {STATES.filter((state) => states[state] > 0).map((state) => (
        <li key={state}>
          <Link to="/refrigerators" search={{ state, ...(facilityId !== undefined && { facilityId }) }}>
            <Chip state={state}>{`${names[state]} ${format.number(states[state])}`}</Chip>
          </Link>
        </li>
      ))}
    </ul>
  )
}
