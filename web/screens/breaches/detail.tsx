import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Problem, query, useMay } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Icon } from '../../controls/icon.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { BreachDetail } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { useRuleName } from '../rules/describe.tsx'
import { Acknowledge, Close } from './acts.tsx'
import { Around } from './around.tsx'
import styles from './breaches.module.css'
import { KindChip, nameOf, secondsOf, StateChip, worstOf } from './describe.tsx'
import { History, Told } from './history.tsx'
import { breachMessages } from './messages.ts'

const route = getRouteApi('/breaches/$breachId')

export function Detail() {
  const { breachId } = route.useParams()
  const breach = useQuery(query('getBreach', { params: { id: breachId } }))
  if (breach.error instanceof Problem && [400, 404].includes(breach.error.status)) return <NotFound />
  if (breach.isError) return <ProblemNote problem={breach.error} onRetry={() => void breach.refetch()} />
  if (!breach.data) return <Skeleton rows={4} />
  return <Found breach={breach.data} />
}

function Found({ breach }: { readonly breach: BreachDetail }) {
  const t = useMessages(breachMessages)
  const ruleName = useRuleName(breach.equipmentId)
  return (
    <>
      <Link to="/breaches" className={page['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={page['head']}>
        <h1>{nameOf(breach)}</h1>
        <p>{[breach.facilityName, ruleName(breach)].filter(Boolean).join(' · ')}</p>
        <p className={styles['chips']}>
          <KindChip breach={breach} />
          <StateChip breach={breach} />
        </p>
      </header>
      <Acts breach={breach} />
      <Facts breach={breach} />
      <Around breach={breach} />
      <Members breach={breach} />
      <div className={styles['columns']}>
        <History breach={breach} />
        <Told breach={breach} />
      </div>
    </>
  )
}

function Acts({ breach }: { readonly breach: BreachDetail }) {
  const t = useMessages(breachMessages)
  const [open, setOpen] = useState<'acknowledge' | 'close'>()
  const mayAcknowledge = useMay('acknowledgeBreach')
  const mayClose = useMay('closeBreach')
  if (breach.state === 'closed' || breach.state === 'withdrawn') return undefined
  const onClose = () => setOpen(undefined)
  return (
    <div className={styles['buttons']}>
      {mayAcknowledge && (
        <Button
          kind={breach.acknowledgedAt === null ? 'primary' : 'normal'}
          onPress={() => setOpen('acknowledge')}
        >
          {t.acknowledge}
        </Button>
      )}
      {mayClose && (
        <Button kind="normal" onPress={() => setOpen('close')}>
          {t.close}
        </Button>
      )}
      {open === 'acknowledge' && <Acknowledge breach={breach} onClose={onClose} />}
      {open === 'close' && <Close breach={breach} onClose={onClose} />}
    </div>
  )
}

function Facts({ breach }: { readonly breach: BreachDetail }) {
  const t = useMessages(breachMessages)
  const format = useFormat()
  const { quantity, threshold, exposure, timeZone, endAt, cause } = breach
  const worst = worstOf(breach, format)
  const facts: readonly (readonly [string, string | undefined])[] = [
    [t.since, format.time(breach.startAt, timeZone)],
    [t.until, endAt === null ? undefined : format.time(endAt, timeZone)],
    [t.lasted, format.span(secondsOf(breach, Date.now()))],
    [t.worst, worst],
    [t.limit, worst === undefined || threshold === null ? undefined : format.value(threshold, quantity)],
    [t.beyond, exposure ? format.span(exposure.minutesBeyond * 60) : undefined],
    [t.mean, exposure && exposure.mean !== null ? format.value(exposure.mean, quantity) : undefined],
    [t.cause, cause === null ? undefined : t.causes[cause]],
    [t.severity, t.severities[breach.severity]],
  ]
  return (
    <dl className={`${styles['facts']} ${styles['panel']}`}>
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

function Members({ breach }: { readonly breach: BreachDetail }) {
  const t = useMessages(breachMessages)
  const format = useFormat()
  if (breach.members.length === 0) return undefined
  return (
    <section className={styles['panel']}>
      <h2>{t.members(breach.members.length)}</h2>
      <ul className={styles['plain']}>
        {breach.members.map(({ deviceId, deviceName, since }) => (
          <li key={deviceId}>
            <strong>{deviceName}</strong> {format.time(since, breach.timeZone)}
          </li>
        ))}
      </ul>
    </section>
  )
}
