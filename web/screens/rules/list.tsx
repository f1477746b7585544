import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { query, useMay, wholeList } from '../../api.ts'
import page from '../../controls/page.module.css'
import { AgeNote } from '../../controls/age-note.tsx'
import { Chip } from '../../controls/chip.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { LogEntry } from '../../operations.ts'
import { ruleMessages } from './messages.ts'
import { Overrides } from './overrides.tsx'
import styles from './rules.module.css'

const CHANGES_MAX = 100

/** By which rules readings are judged: the profiles, where others hold instead, and who changed what. */
export function Profiles() {
  const t = useMessages(ruleMessages)
  const profiles = useQuery(wholeList('listProfiles', {}))
  const mayLook = useMay('listLogs')
  return (
    <>
      <header className={page['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <AgeNote of={profiles} />
      {profiles.isPending && <Skeleton rows={5} />}
      {profiles.isError && <ProblemNote problem={profiles.error} onRetry={() => void profiles.refetch()} />}
      <ul className={styles['list']}>
        {profiles.data?.items.map((profile) => (
          <li key={profile.id} className={styles['row']}>
            <Link to="/rules/$profileId" params={{ profileId: profile.id }} className={styles['name']}>
              {profile.name}
            </Link>
            <p className={page['soft']}>{profile.description}</p>
            <p className={styles['chips']}>
              <Chip state="unknown" icon={profile.isShipped ? 'box' : 'person'}>
                {profile.isShipped ? t.shipped : profile.facilityId === null ? t.ofAll : t.ofPlace}
              </Chip>
            </p>
          </li>
        ))}
      </ul>
      <Overrides profiles={profiles.data?.items ?? []} />
      {mayLook && <Changes />}
    </>
  )
}

/** What people did to rules, by the message under which the audit keeps it. */
const ACTS = [
  'profile.created',
  'profile.versionPublished',
  'profile.overridden',
  'equipment.profileAssigned',
] as const
type Act = (typeof ACTS)[number]

function Changes() {
  const t = useMessages(ruleMessages)
  const format = useFormat()
  const log = useQuery(query('listLogs', { query: { kind: 'audit', text: 'profile', limit: CHANGES_MAX } }))
  const people = useQuery(wholeList('listUsers', {})).data?.items ?? []
  const equipment = useQuery(wholeList('listEquipment', {})).data?.items ?? []
  const acts = (log.data?.items ?? []).flatMap((entry) => {
    const act = ACTS.find((one) => one === entry.message)
    return act ? [{ act, entry }] : []
  })
  const nameOf = (id: string | null) => people.find((one) => one.id === id)?.name
  return (
    <section className={styles['panel']}>
      <h2>{t.changes}</h2>
      {log.isPending && <Skeleton rows={2} />}
      {log.isError && <ProblemNote problem={log.error} onRetry={() => void log.refetch()} />}
      {log.data && acts.length === 0 && <p>{t.noChanges}</p>}
      <ol className={styles['timeline']}>
        {acts.map(({ act, entry }) => {
          const { entityId, profile, replacement } = factsOf(entry, act)
          const what = equipment.find(({ id }) => id === entityId)?.name ?? profile ?? entityId
          return (
            <li key={entry.id}>
              <strong>
                {t.acts[act]}: {[what, replacement].filter(Boolean).join(' → ')}
              </strong>
              <span>{[format.time(entry.at, null), nameOf(entry.userId)].filter(Boolean).join(' · ')}</span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}

function factsOf({ data }: LogEntry, act: Act) {
  const { entityId, after } = data as {
    readonly entityId: string
    readonly after?: { readonly profile?: string; readonly replacement?: string | null }
  }
  if (act === 'profile.overridden')
    return { entityId, profile: after?.profile, replacement: after?.replacement ?? '–' }
  return { entityId, profile: undefined, replacement: act.startsWith('profile') ? undefined : after?.profile }
}
