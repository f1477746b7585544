import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Problem, query, useMay, wholeList } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Icon } from '../../controls/icon.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { ProfileDetail, ProfileVersion } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { RuleList } from './describe.tsx'
import { ruleMessages } from './messages.ts'
import styles from './rules.module.css'

const SHOWN_MAX = 50
const route = getRouteApi('/rules/$profileId')

/** One profile: its rules now, its versions, and what has it. */
export function Profile() {
  const { profileId } = route.useParams()
  const profile = useQuery(query('getProfile', { params: { id: profileId } }))
  if (profile.error instanceof Problem && profile.error.status === 404) return <NotFound />
  if (profile.isError) return <ProblemNote problem={profile.error} onRetry={() => void profile.refetch()} />
  if (!profile.data) return <Skeleton rows={4} />
  return <Found profile={profile.data} />
}

function Found({ profile }: { readonly profile: ProfileDetail }) {
  const t = useMessages(ruleMessages)
  const mayPublish = useMay('publishProfileVersion')
  const [newest, ...before] = profile.versions
  return (
    <>
      <Link to="/rules" className={styles['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={page['head']}>
        <h1>{profile.name}</h1>
        <p>{profile.description}</p>
      </header>
      {mayPublish && (
        <Link to="/rules/$profileId/change" params={{ profileId: profile.id }} className={styles['act']}>
          {profile.isShipped ? t.makeOwn : t.changeRules}
        </Link>
      )}
      {newest && (
        <section className={styles['panel']}>
          <h2>{t.rulesNow}</h2>
          <VersionFacts version={newest} />
          <RuleList rules={newest.rules} />
        </section>
      )}
      {before.length > 0 && (
        <section className={styles['panel']}>
          <h2>{t.versions}</h2>
          {before.map((version) => (
            <details key={version.version}>
              <summary>{t.version(version.version)}</summary>
              <VersionFacts version={version} />
              <RuleList rules={version.rules} />
            </details>
          ))}
        </section>
      )}
      <Having profileId={profile.id} />
    </>
  )
}

function VersionFacts({ version }: { readonly version: ProfileVersion }) {
  const t = useMessages(ruleMessages)
  const format = useFormat()
  const { validFrom, publishedAt, publishedByName, comment } = version
  return (
    <div>
      <p className={page['soft']}>
        {[
          t.version(version.version),
          validFrom === null ? t.always : t.from(format.time(validFrom, null)),
          publishedByName === null
            ? undefined
            : t.publishedBy(publishedByName, format.time(publishedAt, null)),
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      {comment !== '' && <q>{comment}</q>}
    </div>
  )
}

function Having({ profileId }: { readonly profileId: string }) {
  const t = useMessages(ruleMessages)
  const equipment = useQuery(wholeList('listEquipment', {}))
  const having = equipment.data?.items.filter(({ profile }) => profile === profileId)
  return (
    <section className={styles['panel']}>
      <h2>{t.having}</h2>
      {equipment.isPending && <Skeleton rows={1} />}
      {equipment.isError && (
        <ProblemNote problem={equipment.error} onRetry={() => void equipment.refetch()} />
      )}
      {having && <p>{t.havingCount(having.length)}</p>}
      <ul className={styles['names']}>
        {having?.slice(0, SHOWN_MAX).map(({ id, name }) => (
          <li key={id}>
            <Link to="/refrigerators/$equipmentId" params={{ equipmentId: id }} className={styles['name']}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
