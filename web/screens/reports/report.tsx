import { queryOptions, useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { call, query, useMe } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Icon } from '../../controls/icon.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { download } from '../../download.ts'
import { useMessages } from '../../messages.ts'
import { Filters } from './filters.tsx'
import { reportMessages } from './messages.ts'
import { barsOf, reportOf, type ReportName, type Row } from './reports.ts'
import styles from './reports.module.css'
import type { ReportSearch } from './routes.ts'
import { Table } from './table.tsx'

const ROWS_MAX = 500
const BARS_MAX = 62
const Bars = lazy(() => import('./bars.tsx'))
const route = getRouteApi('/reports/$name')

/** Any of the reports: what differs is in `reports.ts`. */
export function ReportPage() {
  const t = useMessages(reportMessages)
  const { name } = route.useParams()
  const search = route.useSearch()
  const rows = useQuery(rowsOf(name, search))
  const shown = rows.data?.slice(0, ROWS_MAX)
  const isWhole = rows.data !== undefined && rows.data.length <= ROWS_MAX
  return (
    <>
      <Link to="/reports" className={styles['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={styles['head']}>
        <h1>{t.names[name]}</h1>
        <p>{t.leads[name]}</p>
        <About name={name} search={search} />
      </header>
      <Filters name={name} search={search} />
      <Acts name={name} search={search} />
      {rows.isPending && <Skeleton rows={5} />}
      {rows.isError && <ProblemNote problem={rows.error} onRetry={() => void rows.refetch()} />}
      {shown?.length === 0 && (
        <div className={styles['empty']}>
          <Icon name="list" />
          <p>{t.nothing}</p>
        </div>
      )}
      {isWhole && <BarsOf name={name} rows={rows.data} />}
      {shown && shown.length > 0 && (
        <>
          <p className={styles['soft']}>{isWhole ? t.rows(shown.length) : t.cut(ROWS_MAX)}</p>
          <Table name={name} rows={shown} />
        </>
      )}
    </>
  )
}

/** One row more than is shown tells whether there are more. */
function rowsOf(name: ReportName, search: ReportSearch) {
  const { operation } = reportOf(name)
  const asked = { ...search, limit: ROWS_MAX + 1 }
  return queryOptions({
    queryKey: [operation, asked] as const,
    queryFn: async ({ signal }) => {
      const answer = await call(operation as 'reportConsumption', { query: asked, signal })
      return answer.items as unknown as readonly Row[]
    },
  })
}

/** On paper there are no filters: what they say is said in words. */
function About({ name, search }: { readonly name: ReportName; readonly search: ReportSearch }) {
  const t = useMessages(reportMessages)
  const { day } = useFormat()
  const me = useMe()
  const { facilityId = me?.facilityId ?? '', from, to } = search
  const place = useQuery({
    ...query('getFacility', { params: { id: facilityId } }),
    enabled: facilityId !== '',
  }).data
  const span =
    from !== undefined && to !== undefined
      ? t.span(day(from), day(to))
      : from !== undefined
        ? t.since(day(from))
        : to !== undefined
          ? t.until(day(to))
          : t.lastDays
  const takesPeriod = reportOf(name).takes.includes('period')
  return (
    <p className={styles['about']}>
      {[facilityId === '' ? t.everywhere : place?.name, takesPeriod && span].filter(Boolean).join(' · ')}
    </p>
  )
}

function Acts({ name, search }: { readonly name: ReportName; readonly search: ReportSearch }) {
  const t = useMessages(reportMessages)
  const saving = useMutation({
    mutationFn: () => {
      const asked = { query: { ...search, format: 'csv' } } as const
      return download(reportOf(name).operation as 'reportConsumption', asked, `${name}.csv`)
    },
  })
  return (
    <div className={styles['acts']}>
      <Button kind="normal" isDisabled={saving.isPending} onPress={() => saving.mutate()}>
        {saving.isPending ? t.saving : t.csv}
      </Button>
      <Button kind="normal" onPress={() => window.print()}>
        {t.print}
      </Button>
      {saving.isError && <ProblemNote problem={saving.error} onRetry={() => saving.mutate()} />}
    </div>
  )
}

function BarsOf({ name, rows }: { readonly name: ReportName; readonly rows: readonly Row[] }) {
  const t = useMessages(reportMessages)
  const report = reportOf(name)
  const bars = barsOf(report, rows, BARS_MAX)
  if (bars.length === 0) return undefined
  return (
    <section className={styles['panel']}>
      <h2>{t.charts[name]}</h2>
      <Suspense fallback={<div className={styles['bars']} />}>
        <Bars bars={bars} label={t.charts[name]} isShare={report.chart?.per !== undefined} />
      </Suspense>
    </section>
  )
}
