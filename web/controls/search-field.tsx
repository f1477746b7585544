import { useEffect, useRef, useState } from 'react'
import { SETTLE_MS } from '../settled.ts'
import { TextField } from './text-field.tsx'

interface Props {
  readonly label: string
  readonly value: string | undefined
  /** Called when the person has stopped typing. */
  readonly onChange: (text: string | undefined) => void
}

/** Part of a name, to narrow a list by. */
export function SearchField({ label, value, onChange }: Props) {
  const [text, setText] = useState(value ?? '')
  const said = useRef(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  // Another link has changed the address: the field follows. What was typed here meanwhile is newer.
  useEffect(() => {
    if (value === said.current) return
    said.current = value
    setText(value ?? '')
  }, [value])
  return (
    <TextField
      label={label}
      type="search"
      maxLength={100}
      value={text}
      onChange={(typed) => {
        setText(typed)
        clearTimeout(timer.current)
        timer.current = setTimeout(() => {
          said.current = typed.trim() || undefined
          onChange(said.current)
        }, SETTLE_MS)
      }}
    />
  )
}
