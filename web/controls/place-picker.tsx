import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { query } from '../api.ts'
import { useMessages } from '../messages.ts'
import { useSettled } from '../settled.ts'
import { shellMessages } from '../shell/messages.ts'
import { Combo } from './combo.tsx'

const SHOWN_MAX = 50

interface Props {
  readonly label: string
  readonly value: string | undefined
  /** Without a value: all that the person may see. */
  readonly onChange: (facilityId: string | undefined) => void
  /** There is no choice of all places. */
  readonly isOne?: boolean
}

/** One of the places that the person may see, by a part of its name. Whoever sees only one is asked nothing. */
export function PlacePicker({ label, value, onChange, isOne = false }: Props) {
  const t = useMessages(shellMessages)
  const [typed, setTyped] = useState<string>()
  const { places, name, isChoice, remember } = usePlaces(value, typed)
  if (!isChoice) return undefined
  const shown = value !== undefined || isOne ? name : t.everywhere
  return (
    <Combo
      label={label}
      items={isOne ? places : [{ id: '', name: t.everywhere }, ...places]}
      inputValue={typed ?? shown}
      onInputChange={(text) => setTyped(text === shown ? undefined : text)}
      value={value ?? ''}
      onChange={(key) => {
        setTyped(undefined)
        remember(places.find(({ id }) => id === key))
        if (key !== null) onChange(key === '' ? undefined : String(key))
      }}
      onBlur={() => setTyped(undefined)}
    />
  )
}

function usePlaces(value: string | undefined, typedNow: string | undefined) {
  const typed = useSettled(typedNow)
  // Known at once: a name that came later would look like typing, and open the list again.
  const [picked, remember] = useState<{ readonly id: string; readonly name: string }>()
  const all = useQuery(query('listFacilities', { query: { limit: SHOWN_MAX } })).data?.items ?? []
  const found = useQuery({
    ...query('listFacilities', { query: { limit: SHOWN_MAX, ...(typed && { q: typed }) } }),
    placeholderData: keepPreviousData,
  }).data
  const chosen = useQuery({
    ...query('getFacility', { params: { id: value ?? '' } }),
    enabled: value !== undefined,
  }).data
  return {
    places: found?.items ?? all,
    name: (picked !== undefined && picked.id === value ? picked : chosen)?.name ?? '',
    remember,
    isChoice: all.length > 1,
  }
}
