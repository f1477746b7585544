import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { wholeList } from '../../api.ts'
import { Choice } from '../../controls/choice.tsx'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { useMessages } from '../../messages.ts'
import { reportMessages } from './messages.ts'
import { reportOf, type ReportName } from './reports.ts'
import styles from './reports.module.css'
import { HORIZONS_DAYS, UNITS, type ReportSearch } from './routes.ts'

const route = getRouteApi('/reports/$name')
const ANY = ''

interface Props {
  readonly name: ReportName
  readonly search: ReportSearch
}

/** What this report can be narrowed by; all of it is in the address. */
export function Filters({ name, search }: Props) {
  const t = useMessages(reportMessages)
  const navigate = route.useNavigate()
  const { takes } = reportOf(name)
  const narrow = (change: { readonly [K in keyof ReportSearch]: ReportSearch[K] | undefined }) => {
    const kept = Object.entries({ ...search, ...change }).filter(
      ([, value]) => value !== undefined && value !== ANY,
    )
    void navigate({ search: Object.fromEntries(kept), replace: true })
  }
  return (
    <div className={styles['filters']} role="search" aria-label={t.filter}>
      <PlacePicker
        label={t.place}
        value={search.facilityId}
        onChange={(facilityId) => narrow({ facilityId })}
      />
      {takes.includes('item') && (
        <ItemChoice value={search.itemId ?? ANY} onChange={(itemId) => narrow({ itemId })} />
      )}
      {takes.includes('activity') && (
        <ActivityChoice
          value={search.activityCode ?? ANY}
          onChange={(activityCode) => narrow({ activityCode })}
        />
      )}
      {takes.includes('period') && (
        <>
          <TextField
            label={t.from}
            type="date"
            value={search.from ?? ANY}
            onChange={(from) => narrow({ from })}
          />
          <TextField label={t.to} type="date" value={search.to ?? ANY} onChange={(to) => narrow({ to })} />
        </>
      )}
      {takes.includes('by') && (
        <Choice
          label={t.by}
          options={(['whole', ...UNITS.toReversed()] as const).map((value) => ({
            value,
            label: t.units[value],
          }))}
          value={search.by ?? 'whole'}
          onChange={(by) => narrow({ by: by === 'whole' ? undefined : by })}
        />
      )}
      {takes.includes('horizon') && (
        <Choice
          label={t.horizon}
          options={HORIZONS_DAYS.map((days) => ({ value: String(days), label: t.horizonDays(days) }))}
          value={String(search.days ?? HORIZONS_DAYS[0])}
          onChange={(days) => narrow({ days: HORIZONS_DAYS.find((one) => String(one) === days) })}
        />
      )}
    </div>
  )
}

interface ChoiceProps {
  readonly value: string
  readonly onChange: (value: string) => void
}

function ItemChoice(props: ChoiceProps) {
  const t = useMessages(reportMessages)
  const items = useQuery(wholeList('listItems', {})).data?.items ?? []
  const options = items.map(({ id, name }) => ({ value: id, label: name }))
  return <Choice label={t.item} options={[{ value: ANY, label: t.any }, ...options]} {...props} />
}

function ActivityChoice(props: ChoiceProps) {
  const t = useMessages(reportMessages)
  const activities = useQuery(wholeList('listActivities', {})).data?.items ?? []
  const options = activities.map(({ code, name }) => ({ value: code, label: name }))
  return <Choice label={t.activity} options={[{ value: ANY, label: t.any }, ...options]} {...props} />
}
