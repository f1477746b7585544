import { Link } from '@tanstack/react-router'
import { Component, lazy, Suspense, useDeferredValue, useMemo, useState, type ReactNode } from 'react'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { PlaceStates } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { refrigeratorMessages } from '../refrigerators/messages.ts'
import { STATES } from '../refrigerators/routes.ts'
import { overviewMessages } from './messages.ts'
import styles from './overview.module.css'
import { byUrgency } from './states.ts'

const PAGE_ROWS = 40
const PlaceMap = lazy(() => import('./map.tsx'))

/** The places below, on a map and as a list; each opens its own overview. */
export function Places({ places }: { readonly places: readonly PlaceStates[] }) {
  const t = useMessages(overviewMessages)
  const sorted = useMemo(() => byUrgency(places), [places])
  // The list is there first, and never waits for the map.
  const onMap = useDeferredValue(sorted, NONE)
  return (
    <>
      <IfBroken instead={<p className={page['soft']}>{t.noMap}</p>}>
        <Suspense fallback={<div className={styles['map']} />}>
          <PlaceMap places={onMap} />
        </Suspense>
      </IfBroken>
      <List places={sorted} />
    </>
  )
}

const NONE: readonly PlaceStates[] = []

interface BrokenProps {
  readonly instead: ReactNode
  readonly children: ReactNode
}

/** Without a network the map may never come; the list does. */
class IfBroken extends Component<BrokenProps, { readonly isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError() {
    return { isBroken: true }
  }

  override render() {
    return this.state.isBroken ? this.props.instead : this.props.children
  }
}

function List({ places }: { readonly places: readonly PlaceStates[] }) {
  const t = useMessages(overviewMessages)
  const { more } = useMessages(shellMessages)
  const [rows, setRows] = useState(PAGE_ROWS)
  return (
    <section className={styles['need']}>
      <h2>{t.places}</h2>
      <ul className={styles['items']}>
        {places.slice(0, rows).map((place) => (
          <Row key={place.facilityId} place={place} />
        ))}
      </ul>
      {places.length > rows && (
        <Button kind="normal" onPress={() => setRows(rows + PAGE_ROWS)}>
          {more}
        </Button>
      )}
    </section>
  )
}

function Row({ place: { facilityId, name, isItself, states } }: { readonly place: PlaceStates }) {
  const t = useMessages(overviewMessages)
  const names = useMessages(refrigeratorMessages).states
  const format = useFormat()
  const there = STATES.filter((state) => states[state] > 0)
  return (
    <li>
      {isItself ? (
        <Link to="/refrigerators" search={{ facilityId }} className={page['name']}>
          {t.itself(name)}
        </Link>
      ) : (
        <Link to="/" search={{ facilityId }} className={page['name']}>
          {name}
        </Link>
      )}
      <p className={styles['chips']}>
        {there.map((state) => (
          <Chip key={state} state={state}>{`${names[state]} ${format.number(states[state])}`}</Chip>
        ))}
        {there.length === 0 && <span className={page['soft']}>{t.noRefrigerators}</span>}
      </p>
    </li>
  )
}
