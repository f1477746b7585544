import { getRouteApi, Link } from '@tanstack/react-router'
import { Button } from '../../../controls/button.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { SearchField } from '../../../controls/search-field.tsx'
import { useMessages } from '../../../messages.ts'
import type { LogEntry } from '../../../operations.ts'
import { usePaged } from '../../../paged.ts'
import { usePreferences } from '../../../preferences.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { useUserName } from '../names.tsx'
import { Between } from './between.tsx'
import { changesIn } from './changes.ts'
import { Exports } from './logs.tsx'
import { operationsMessages } from './messages.ts'
import { momentIn } from './moments.ts'

const PAGE_ROWS = 50
const route = getRouteApi('/administration/audit')

/** Who changed what. */
export function Audit() {
  const t = useMessages(operationsMessages)
  const search = route.useSearch()
  const asked = { ...search, kind: 'audit' as const }
  const entries = usePaged('listLogs', { ...asked, limit: PAGE_ROWS })
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.audit}</h1>
        <p>{t.auditLead}</p>
      </header>
      <Filters />
      <div className={styles['filters']}>
        <Exports asked={asked} name="changes" />
      </div>
      <PagedList of={entries} empty={<p className={styles['panel']}>{t.noAudit}</p>}>
        {(items) => (
          <ol className={styles['entries']}>
            {items.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ol>
        )}
      </PagedList>
    </>
  )
}

function Filters() {
  const t = useMessages(operationsMessages)
  const shared = useMessages(administrationMessages)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const narrow = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <div className={styles['filters']} role="search" aria-label={shared.filter}>
      <SearchField label={t.text} value={search.text} onChange={(text) => narrow({ text })} />
      <Between search={search} onChange={narrow} />
      {Object.keys(search).length > 0 && (
        <Button kind="normal" onPress={() => void navigate({ search: {}, replace: true })}>
          {t.clear}
        </Button>
      )}
    </div>
  )
}

function Entry({ entry }: { readonly entry: LogEntry }) {
  const t = useMessages(operationsMessages)
  const { language } = usePreferences()
  const { message, at, userId } = entry
  const changes = changesIn(entry.data)
  return (
    <li>
      <p className={styles['said']}>
        <strong>{message}</strong>
        <span className={styles['soft']}>
          <Who userId={userId} /> · <time dateTime={at}>{momentIn(language, at)}</time>
        </span>
      </p>
      {userId !== null && (
        <p className={styles['refs']}>
          <Link to="/administration/audit" search={{ userId }}>
            {t.onlyThem}
          </Link>
        </p>
      )}
      {changes.length > 0 && (
        <details>
          <summary>{t.what}</summary>
          <div className={styles['scroll']} tabIndex={0} role="region" aria-label={t.what}>
            <table className={styles['table']}>
              <thead>
                <tr>
                  <th scope="col">{t.what}</th>
                  <th scope="col">{t.before}</th>
                  <th scope="col">{t.after}</th>
                </tr>
              </thead>
              <tbody>
                {changes.map(({ name, before, after }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{before}</td>
                    <td>{after}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </li>
  )
}

function Who({ userId }: { readonly userId: string | null }) {
  const t = useMessages(operationsMessages)
  const name = useUserName(userId ?? '', userId === null ? t.system : t.unknown)
  return <>{name}</>
}
