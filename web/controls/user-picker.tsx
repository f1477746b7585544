import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { query } from '../api.ts'
import { useSettled } from '../settled.ts'
import { Combo, type Offered } from './combo.tsx'

const SHOWN_MAX = 50

interface Props {
  readonly label: string
  /** What can be chosen beside people; narrowed by what is typed. */
  readonly beside?: readonly Offered[]
  readonly onAdd: (id: string) => void
}

/** Adds people, and what is offered beside them, one after the other, by a part of the name. */
export function UserPicker({ label, beside = [], onAdd }: Props) {
  const [typed, setTyped] = useState('')
  // Each choice is made in a field of its own: in the same one the emptied text would count as typing, and open the list again.
  const [round, setRound] = useState(0)
  const asked = useSettled(typed.trim())
  const found = useQuery({
    ...query('listUsers', { query: { limit: SHOWN_MAX, ...(asked !== '' && { q: asked }) } }),
    placeholderData: keepPreviousData,
  }).data
  const isLike = ({ name }: Offered) => name.toLowerCase().includes(typed.trim().toLowerCase())
  const people = (found?.items ?? []).filter(({ disabled }) => !disabled)
  const items = [
    ...beside.filter(isLike),
    ...people.map(({ id, name, facilityName }) => ({
      id,
      name: facilityName === null ? name : `${name} · ${facilityName}`,
    })),
  ]
  return (
    <Combo
      key={round}
      label={label}
      items={items}
      inputValue={typed}
      onInputChange={setTyped}
      value={null}
      onChange={(key) => {
        if (key === null) return
        onAdd(String(key))
        setTyped('')
        setRound(round + 1)
      }}
    />
  )
}
