import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Icon } from '../../controls/icon.tsx'
import { PagedList } from '../../controls/paged-list.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach } from '../../operations.ts'
import { usePaged } from '../../paged.ts'
import { Acknowledge } from './acts.tsx'
import styles from './breaches.module.css'
import { KindChip, nameOf, secondsOf, StateChip, worstOf } from './describe.tsx'
import { breachMessages } from './messages.ts'
import type { BreachSearch } from './routes.ts'

const PAGE_ROWS = 50
const route = getRouteApi('/breaches')

export function Inbox() {
  const t = useMessages(breachMessages)
  const search = route.useSearch()
  const { state = 'open', ...narrowed } = search
  const asked = { ...narrowed, ...(state === 'any' ? {} : { state }), limit: PAGE_ROWS }
  const breaches = usePaged('listBreaches', asked)
  const isFiltered = state !== 'open' || Object.keys(narrowed).length > 0
  return (
    <>
      <header className={page['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <Filters search={search} />
      <PagedList of={breaches} empty={<Nothing isFiltered={isFiltered} />}>
        {(items) => <List breaches={items} />}
      </PagedList>
    </>
  )
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  const t = useMessages(breachMessages)
  return (
    <div className={styles['empty']}>
      <Icon name="check" />
      <p>{isFiltered ? t.nothingFound : t.nothingOpen}</p>
    </div>
  )
}

function Filters({ search }: { readonly search: BreachSearch }) {
  const t = useMessages(breachMessages)
  const navigate = route.useNavigate()
  const narrow = (change: BreachSearch) => void navigate({ search: { ...search, ...change }, replace: true })
  const states = (['open', 'ended', 'closed', 'withdrawn', 'any'] as const).map((value) => ({
    value,
    label: value === 'any' ? t.any : t.states[value],
  }))
  const severities = (['any', 'critical', 'warning'] as const).map((value) => ({
    value,
    label: value === 'any' ? t.any : t.severities[value],
  }))
  return (
    <div className={styles['filters']} role="search" aria-label={t.filter}>
      <Choice
        label={t.state}
        options={states}
        value={search.state ?? 'open'}
        onChange={(state) => narrow({ state })}
      />
      <Choice
        label={t.severity}
        options={severities}
        value={search.severity ?? 'any'}
        onChange={(value) => narrow({ severity: value === 'any' ? undefined : value })}
      />
      {search.facilityId !== undefined && (
        <Button kind="normal" onPress={() => narrow({ facilityId: undefined })}>
          {t.everywhere}
        </Button>
      )}
    </div>
  )
}

function List({ breaches }: { readonly breaches: readonly Breach[] }) {
  const t = useMessages(breachMessages)
  const [chosen, setChosen] = useState<Breach>()
  return (
    <>
      <p className={styles['count']}>{t.count(breaches.length)}</p>
      <ul className={styles['list']}>
        {breaches.map((breach) => (
          <Row key={breach.id} breach={breach} onAcknowledge={setChosen} />
        ))}
      </ul>
      {chosen && <Acknowledge breach={chosen} onClose={() => setChosen(undefined)} />}
    </>
  )
}

interface RowProps {
  readonly breach: Breach
  readonly onAcknowledge: (breach: Breach) => void
}

function Row({ breach, onAcknowledge }: RowProps) {
  const t = useMessages(breachMessages)
  const format = useFormat()
  const mayAcknowledge = useMay('acknowledgeBreach')
  const worst = worstOf(breach, format)
  const isWaiting = breach.state === 'open' && breach.acknowledgedAt === null
  return (
    <li className={styles['row']} data-waiting={isWaiting}>
      <div>
        <Link to="/breaches/$breachId" params={{ breachId: breach.id }} className={page['name']}>
          {nameOf(breach)}
        </Link>
        <p className={styles['where']}>{breach.facilityName}</p>
        <p className={styles['chips']}>
          <KindChip breach={breach} />
          <StateChip breach={breach} />
        </p>
      </div>
      <dl className={styles['facts']}>
        {worst !== undefined && (
          <div>
            <dt>{t.worst}</dt>
            <dd className={styles['worst']}>{worst}</dd>
          </div>
        )}
        <div>
          <dt>{t.lasted}</dt>
          <dd>{format.span(secondsOf(breach, Date.now()))}</dd>
        </div>
        <div>
          <dt>{t.since}</dt>
          <dd>{format.time(breach.startAt, breach.timeZone)}</dd>
        </div>
      </dl>
      {isWaiting && mayAcknowledge && (
        <Button
          kind="normal"
          aria-label={`${t.acknowledge}: ${nameOf(breach)}`}
          onPress={() => onAcknowledge(breach)}
        >
          {t.acknowledge}
        </Button>
      )}
    </li>
  )
}
