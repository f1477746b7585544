import { getRouteApi, Link } from '@tanstack/react-router'
import { Chip } from '../../controls/chip.tsx'
import { Choice } from '../../controls/choice.tsx'
import { PagedList } from '../../controls/paged-list.tsx'
import { SearchField } from '../../controls/search-field.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { StatedEquipment } from '../../operations.ts'
import { usePaged } from '../../paged.ts'
import { refrigeratorMessages } from './messages.ts'
import styles from './refrigerators.module.css'
import { STATES, type RefrigeratorSearch } from './routes.ts'

const PAGE_ROWS = 50
const route = getRouteApi('/refrigerators')

export function List() {
  const t = useMessages(refrigeratorMessages)
  const search = route.useSearch()
  const rows = usePaged('listEquipmentStates', { ...search, limit: PAGE_ROWS })
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <Filters search={search} />
      <PagedList of={rows} empty={<p className={styles['panel']}>{t.nothing}</p>}>
        {(items) => (
          <ul className={styles['list']}>
            {items.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </ul>
        )}
      </PagedList>
    </>
  )
}

function Filters({ search }: { readonly search: RefrigeratorSearch }) {
  const t = useMessages(refrigeratorMessages)
  const navigate = route.useNavigate()
  const states = (['any', ...STATES] as const).map((value) => ({
    value,
    label: value === 'any' ? t.any : t.states[value],
  }))
  const { state: chosen, q: text, ...rest } = search
  const narrow = (state: RefrigeratorSearch['state'], q: string | undefined) =>
    void navigate({ search: { ...rest, ...(state && { state }), ...(q && { q }) }, replace: true })
  return (
    <div className={styles['filters']} role="search" aria-label={t.filter}>
      <Choice
        label={t.state}
        options={states}
        value={chosen ?? 'any'}
        onChange={(value) => narrow(value === 'any' ? undefined : value, text)}
      />
      <SearchField label={t.search} value={text} onChange={(value) => narrow(chosen, value)} />
    </div>
  )
}

function Row({ row }: { readonly row: StatedEquipment }) {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  const facts: readonly (readonly [string, string | undefined])[] = [
    [t.now, row.celsius === null ? undefined : format.value(row.celsius, 'temperature')],
    [t.since, row.since === null ? undefined : format.time(row.since, row.timeZone)],
    [t.doses, row.doses === null ? undefined : format.number(row.doses)],
  ]
  return (
    <li className={styles['row']}>
      <div>
        <Link to="/refrigerators/$equipmentId" params={{ equipmentId: row.id }} className={styles['name']}>
          {row.name}
        </Link>
        <p className={styles['where']}>{row.facilityName}</p>
        <Chip state={row.state}>{t.states[row.state]}</Chip>
      </div>
      <Facts facts={facts} />
    </li>
  )
}

/** What is not known is left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, string | undefined])[] }) {
  return (
    <dl className={styles['facts']}>
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
