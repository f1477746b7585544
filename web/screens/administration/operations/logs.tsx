import { useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '../../../controls/button.tsx'
import { Check } from '../../../controls/check.tsx'
import { Choice } from '../../../controls/choice.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { SearchField } from '../../../controls/search-field.tsx'
import { download } from '../../../download.ts'
import { useMessages } from '../../../messages.ts'
import { usePaged } from '../../../paged.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { Between } from './between.tsx'
import { LogLine } from './log-line.tsx'
import { LOG_LEVEL_NAMES, type LogSearch } from './log-search.ts'
import { operationsMessages } from './messages.ts'

const PAGE_ROWS = 100
const FOLLOW_MS = 2000
const ANY = 'any'
const PARTS = ['broker', 'ingest', 'notifier', 'api', 'http', 'main'] as const
const route = getRouteApi('/administration/logs')

/** What the parts of the program said, and what people did, as one story. */
export function Logs() {
  const t = useMessages(operationsMessages)
  const search = route.useSearch()
  const [isFollowing, setFollowing] = useState(false)
  const entries = usePaged(
    'listLogs',
    { ...search, limit: PAGE_ROWS },
    { refetchInterval: isFollowing ? FOLLOW_MS : false },
  )
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.logs}</h1>
        <p>{t.logsLead}</p>
      </header>
      <Filters />
      <div className={styles['filters']}>
        <Check label={t.follow} isSelected={isFollowing} onChange={setFollowing} />
        <Exports asked={search} name="logs" />
      </div>
      <PagedList of={entries} empty={<p className={styles['panel']}>{t.noLogs}</p>}>
        {(items) => (
          <ol className={styles['entries']}>
            {items.map((entry) => (
              <LogLine key={entry.id} entry={entry} />
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
  const narrow = (change: LogSearch) => void navigate({ search: { ...search, ...change }, replace: true })
  const levels = LOG_LEVEL_NAMES.map((value) => ({ value, label: t.levels[value] }))
  return (
    <div className={styles['filters']} role="search" aria-label={shared.filter}>
      <Choice
        label={t.level}
        options={[{ value: ANY, label: shared.any }, ...levels]}
        value={search.level ?? ANY}
        onChange={(value) => narrow({ level: value === ANY ? undefined : value })}
      />
      <Choice
        label={t.part}
        options={[{ value: ANY, label: shared.any }, ...PARTS.map((value) => ({ value, label: value }))]}
        value={PARTS.find((one) => one === search.part) ?? ANY}
        onChange={(value) => narrow({ part: value === ANY ? undefined : value })}
      />
      <SearchField label={t.text} value={search.text} onChange={(text) => narrow({ text })} />
      <SearchField
        label={t.request}
        value={search.requestId}
        onChange={(requestId) => narrow({ requestId })}
      />
      <SearchField label={t.device} value={search.deviceId} onChange={(deviceId) => narrow({ deviceId })} />
      <SearchField label={t.user} value={search.userId} onChange={(userId) => narrow({ userId })} />
      <Between search={search} onChange={narrow} />
      {Object.keys(search).length > 0 && (
        <Button kind="normal" onPress={() => void navigate({ search: {}, replace: true })}>
          {t.clear}
        </Button>
      )}
    </div>
  )
}

interface ExportsProps {
  readonly asked: LogSearch & { readonly kind?: 'audit' }
  readonly name: string
}

/** All that fits the filter, not only what is shown. */
export function Exports({ asked, name }: ExportsProps) {
  const t = useMessages(operationsMessages)
  const exporting = useMutation({
    mutationFn: (format: 'csv' | 'ndjson') =>
      download('listLogs', { query: { ...asked, format } }, `${name}.${format}`),
  })
  return (
    <>
      {exporting.isError && <ProblemNote problem={exporting.error} />}
      <Button kind="normal" isDisabled={exporting.isPending} onPress={() => exporting.mutate('csv')}>
        {exporting.isPending ? t.exporting : t.exportCsv}
      </Button>
      <Button kind="normal" isDisabled={exporting.isPending} onPress={() => exporting.mutate('ndjson')}>
        {t.exportLines}
      </Button>
    </>
  )
}
