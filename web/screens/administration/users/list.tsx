import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Chip } from '../../../controls/chip.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { PlacePicker } from '../../../controls/place-picker.tsx'
import { SearchField } from '../../../controls/search-field.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { SeenUser } from '../../../operations.ts'
import { usePaged } from '../../../paged.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { AddUser } from './forms.tsx'
import { userMessages } from './messages.ts'

const PAGE_ROWS = 50
const route = getRouteApi('/administration/users')

export function UserList() {
  const t = useMessages(userMessages)
  const shared = useMessages(administrationMessages)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [isAdding, setAdding] = useState(false)
  const mayAdd = useMay('createUser')
  const people = usePaged('listUsers', { ...search, limit: PAGE_ROWS })
  const isFiltered = Object.keys(search).length > 0
  const narrow = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <div className={styles['filters']} role="search" aria-label={shared.filter}>
        <SearchField label={t.search} value={search.q} onChange={(q) => narrow({ q })} />
        <PlacePicker
          label={shared.place}
          value={search.facilityId}
          onChange={(facilityId) => narrow({ facilityId })}
        />
        {mayAdd && (
          <Button kind="primary" onPress={() => setAdding(true)}>
            {t.add}
          </Button>
        )}
      </div>
      <PagedList
        of={people}
        empty={<p className={styles['panel']}>{isFiltered ? t.nobodyFound : t.nobody}</p>}
      >
        {(items) => (
          <ul className={styles['rows']}>
            {items.map((user) => (
              <Row key={user.id} user={user} />
            ))}
          </ul>
        )}
      </PagedList>
      {isAdding && <AddUser facilityId={search.facilityId} onClose={() => setAdding(false)} />}
    </>
  )
}

function Row({ user }: { readonly user: SeenUser }) {
  const t = useMessages(userMessages)
  const format = useFormat()
  const { id, name, username, role, facilityName, timeZone, lastSeenAt, disabled } = user
  return (
    <li>
      <div>
        <Link to="/administration/users/$userId" params={{ userId: id }} className={styles['name']}>
          {name}
        </Link>
        <p className={styles['soft']}>
          {username} · {t.roles[role]} · {facilityName ?? t.everywhere}
        </p>
      </div>
      <p className={styles['soft']}>
        {t.seen}: {lastSeenAt === null ? t.notSeen : format.time(lastSeenAt, timeZone)}
      </p>
      <StateChip disabled={disabled} />
    </li>
  )
}

export function StateChip({ disabled }: { readonly disabled: boolean }) {
  const t = useMessages(userMessages)
  return <Chip state={disabled ? 'unknown' : 'in-range'}>{disabled ? t.disabled : t.active}</Chip>
}
