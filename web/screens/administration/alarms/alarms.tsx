import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { call, query, useMay, useMe, wholeList } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Chip } from '../../../controls/chip.tsx'
import { PlacePicker } from '../../../controls/place-picker.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { useMessages } from '../../../messages.ts'
import type { EscalationPolicy, FacilityEscalation } from '../../../operations.ts'
import styles from '../administration.module.css'
import { Ask } from '../ask.tsx'
import { usePlaceName } from '../names.tsx'
import { TestMessage } from '../users/test-message.tsx'
import { alarmMessages } from './messages.ts'
import { OnCallPanel } from './on-call.tsx'
import { PolicyPanel } from './policy.tsx'

const route = getRouteApi('/administration/alarms')

export function Alarms() {
  const t = useMessages(alarmMessages)
  const me = useMe()
  const navigate = route.useNavigate()
  const { facilityId = me?.facilityId ?? undefined } = route.useSearch()
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <div className={styles['filters']}>
        <PlacePicker
          label={t.place}
          value={facilityId}
          isOne
          onChange={(chosen) => void navigate({ search: { facilityId: chosen } })}
        />
      </div>
      {facilityId === undefined ? <Overview /> : <At key={facilityId} facilityId={facilityId} />}
      {me && (
        <section className={styles['panel']}>
          <h2>{t.testMe}</h2>
          <TestMessage userId={me.id} />
        </section>
      )}
    </>
  )
}

/** Without a place: where somebody has said something else than what ships. */
function Overview() {
  const t = useMessages(alarmMessages)
  const policies = useQuery(wholeList('listEscalationPolicies', {}))
  if (policies.isError)
    return <ProblemNote problem={policies.error} onRetry={() => void policies.refetch()} />
  if (!policies.data) return <Skeleton rows={2} />
  const shown = policies.data.items.filter(({ archivedAt }) => archivedAt === null)
  return (
    <section className={styles['panel']}>
      <p>{shown.length === 0 ? t.nothingOwn : t.choose}</p>
      <ul className={styles['plain']}>
        {shown.map((policy) => (
          <OverviewRow key={policy.id} policy={policy} />
        ))}
      </ul>
    </section>
  )
}

function OverviewRow({ policy }: { readonly policy: EscalationPolicy }) {
  const t = useMessages(alarmMessages)
  const name = usePlaceName(policy.facilityId)
  return (
    <li>
      <Link
        to="/administration/alarms"
        search={{ ...(policy.facilityId !== null && { facilityId: policy.facilityId }) }}
        className={styles['name']}
      >
        {name}
      </Link>
      <span>
        {policy.name} · {t.severities[policy.severity]}
      </span>
    </li>
  )
}

function At({ facilityId }: { readonly facilityId: string }) {
  const effective = useQuery(query('getFacilityEscalation', { params: { id: facilityId } }))
  if (effective.isError)
    return <ProblemNote problem={effective.error} onRetry={() => void effective.refetch()} />
  if (!effective.data) return <Skeleton rows={4} />
  const { critical, warning } = effective.data
  return (
    <>
      <TestMode effective={effective.data} />
      <PolicyPanel policy={critical} facilityId={facilityId} />
      <PolicyPanel policy={warning} facilityId={facilityId} />
      <OnCallPanel facilityId={facilityId} />
    </>
  )
}

/** While devices are set up nobody should be woken; that it is on must not be overlooked. */
function TestMode({ effective }: { readonly effective: FacilityEscalation }) {
  const t = useMessages(alarmMessages)
  const mayChange = useMay('updateFacilityEscalation')
  const [isAsking, setAsking] = useState(false)
  const { testMode, facilityId } = effective
  const title = testMode ? t.testStop : t.testStart
  return (
    <div className={styles['buttons']}>
      {testMode && (
        <p role="status">
          <Chip state="silent" icon="offline">
            {t.testOn}
          </Chip>
        </p>
      )}
      {mayChange && (
        <Button kind={testMode ? 'primary' : 'normal'} onPress={() => setAsking(true)}>
          {title}
        </Button>
      )}
      {isAsking && (
        <Ask
          title={title}
          lead={testMode ? undefined : t.testAsk}
          submit={title}
          outdates={['getFacilityEscalation']}
          act={() =>
            call('updateFacilityEscalation', { params: { id: facilityId }, body: { testMode: !testMode } })
          }
          onDone={() => setAsking(false)}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  )
}
