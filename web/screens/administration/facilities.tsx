import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { LEVELS, type Level } from '../../../domain/role.ts'
import { call, query, useMay, useMe } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Icon } from '../../controls/icon.tsx'
import { PagedList } from '../../controls/paged-list.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { SearchField } from '../../controls/search-field.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import type { Facility } from '../../operations.ts'
import { usePaged } from '../../paged.ts'
import styles from './administration.module.css'
import { Devices } from './devices.tsx'
import { administrationMessages } from './messages.ts'
import { SaveForm, type Field } from './save-form.tsx'

const PAGE_ROWS = 50
const route = getRouteApi('/administration/')

/** The tree, one level at a time: a place, what is in it, and its devices. */
export function Facilities() {
  const { q } = route.useSearch()
  return (
    <>
      <Search />
      {q === undefined ? <Tree /> : <Found q={q} />}
    </>
  )
}

function Tree() {
  const me = useMe()
  const { under = me?.facilityId ?? undefined } = route.useSearch()
  const here = useQuery({
    ...query('getFacility', { params: { id: under ?? '' } }),
    enabled: under !== undefined,
  })
  if (here.isError) return <ProblemNote problem={here.error} onRetry={() => void here.refetch()} />
  if (!me || (under !== undefined && !here.data)) return <Skeleton rows={4} />
  return <At place={under === undefined ? undefined : here.data} top={me.facilityId} />
}

interface AtProps {
  readonly place: Facility | undefined
  /** Where the person's part of the tree begins; `null` for all of it. */
  readonly top: string | null
}

function At({ place, top }: AtProps) {
  return (
    <>
      <Head place={place} isTop={place?.id === top} />
      <Acts place={place} />
      {place?.level !== 'facility' && <Below place={place} />}
      {place && <Devices place={place} />}
    </>
  )
}

function Head({ place, isTop }: { readonly place: Facility | undefined; readonly isTop: boolean }) {
  const t = useMessages(administrationMessages)
  return (
    <>
      {place && !isTop && (
        <Link
          to="/administration"
          search={place.parentId === null ? {} : { under: place.parentId }}
          className={styles['back']}
        >
          <Icon name="back" /> {t.up}
        </Link>
      )}
      <header className={styles['head']}>
        <h1>{place?.name ?? t.title}</h1>
        <p>{place ? `${t.levels[place.level]} · ${place.timeZone}` : t.lead}</p>
      </header>
    </>
  )
}

function Acts({ place }: { readonly place: Facility | undefined }) {
  const t = useMessages(administrationMessages)
  const [open, setOpen] = useState<'add' | 'edit'>()
  const mayAdd = useMay('createFacility') && place?.level !== 'facility'
  const mayEdit = useMay('updateFacility') && place !== undefined
  const mayImport = useMay('importCsv')
  const onClose = () => setOpen(undefined)
  return (
    <div className={styles['buttons']}>
      {mayAdd && (
        <Button kind={place ? 'normal' : 'primary'} onPress={() => setOpen('add')}>
          {t.add}
        </Button>
      )}
      {mayEdit && (
        <Button kind="normal" onPress={() => setOpen('edit')}>
          {t.edit}
        </Button>
      )}
      {mayImport && (
        <Link to="/administration/import" className={styles['back']}>
          {t.importFile}
        </Link>
      )}
      {open === 'add' && <FacilityForm parent={place} onClose={onClose} />}
      {open === 'edit' && place && <FacilityForm known={place} onClose={onClose} />}
    </div>
  )
}

function Below({ place }: { readonly place: Facility | undefined }) {
  const t = useMessages(administrationMessages)
  // Without a place: the tops of the trees, whatever their level.
  const list = usePaged('listFacilities', {
    ...(place ? { parentId: place.id } : { roots: true }),
    limit: PAGE_ROWS,
  })
  return (
    <section className={styles['panel']}>
      <h2>{place ? t.below : t.title}</h2>
      <PagedList of={list} empty={<p>{t.nothing}</p>}>
        {(items) => <Links places={items} />}
      </PagedList>
    </section>
  )
}

function Links({ places }: { readonly places: readonly Facility[] }) {
  const t = useMessages(administrationMessages)
  return (
    <ul className={styles['plain']}>
      {places.map(({ id, name, level, code }) => (
        <li key={id}>
          <Link to="/administration" search={{ under: id }} className={styles['name']}>
            {name}
          </Link>
          <span>{[t.levels[level], code].filter(Boolean).join(' · ')}</span>
        </li>
      ))}
    </ul>
  )
}

function Search() {
  const t = useMessages(administrationMessages)
  const { q } = route.useSearch()
  const navigate = route.useNavigate()
  return (
    <div className={styles['filters']} role="search" aria-label={t.filter}>
      <SearchField
        label={t.search}
        value={q}
        onChange={(text) =>
          void navigate({
            search: ({ under }) => ({ ...(under !== undefined && { under }), ...(text && { q: text }) }),
            replace: true,
          })
        }
      />
    </div>
  )
}

/** What is called so, wherever in the tree it lies. */
function Found({ q }: { readonly q: string }) {
  const t = useMessages(administrationMessages)
  const list = usePaged('listFacilities', { q, limit: PAGE_ROWS })
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.found}</h1>
      </header>
      <section className={styles['panel']}>
        <PagedList of={list} empty={<p>{t.notFound}</p>}>
          {(items) => <Links places={items} />}
        </PagedList>
      </section>
    </>
  )
}

interface FormProps {
  readonly parent?: Facility | undefined
  readonly known?: Facility
  readonly onClose: () => void
}

function FacilityForm({ parent, known, onClose }: FormProps) {
  const t = useMessages(administrationMessages)
  // Levels go down.
  const levels = LEVELS.slice(parent ? LEVELS.indexOf(parent.level) + 1 : 0)
  const [level, setLevel] = useState<Level>(levels[0] ?? 'facility')
  const zone = (known ?? parent)?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <SaveForm
      title={known ? `${t.edit}: ${known.name}` : t.add}
      submit={t.save}
      outdates={['listFacilities', 'getFacility']}
      save={(field) => saveFacility(field, { known, level, parent })}
      onClose={onClose}
      onSaved={({ name }) => {
        toast(t.saved(name))
        onClose()
      }}
    >
      <TextField label={t.name} name="name" defaultValue={known?.name ?? ''} maxLength={200} isRequired />
      {!known && (
        <Choice
          label={t.level}
          options={levels.map((value) => ({ value, label: t.levels[value] }))}
          value={level}
          onChange={setLevel}
        />
      )}
      <MoreFields known={known} zone={zone} />
    </SaveForm>
  )
}

function MoreFields({ known, zone }: { readonly known: Facility | undefined; readonly zone: string }) {
  const t = useMessages(administrationMessages)
  return (
    <>
      <TextField label={t.timeZone} name="timeZone" defaultValue={zone} isRequired />
      <p className={styles['hint']}>{t.timeZoneHelp}</p>
      <TextField label={t.code} name="code" defaultValue={known?.code ?? ''} />
      <TextField
        label={t.population}
        name="population"
        inputMode="numeric"
        pattern="\d*"
        defaultValue={String(known?.population ?? '')}
      />
    </>
  )
}

interface Written {
  readonly known: Facility | undefined
  readonly parent: Facility | undefined
  readonly level: Level
}

async function saveFacility(field: Field, { known, parent, level }: Written): Promise<Facility> {
  const people = field('population')
  const body = {
    name: field('name') ?? '',
    timeZone: field('timeZone') ?? '',
    code: field('code') ?? null,
    population: people === undefined ? null : Number(people),
  }
  return known
    ? call('updateFacility', { params: { id: known.id }, body })
    : call('createFacility', { body: { ...body, level, parentId: parent?.id ?? null } })
}
