import { TextField } from '../../../controls/text-field.tsx'
import { useMessages } from '../../../messages.ts'
import type { LogSearch } from './log-search.ts'
import { operationsMessages } from './messages.ts'
import { fromLocalField, toLocalField } from './moments.ts'

type Times = Pick<LogSearch, 'from' | 'to'>

interface Props {
  readonly search: Times
  readonly onChange: (change: Times) => void
}

/** From when to when, on the clocks of this device. */
export function Between({ search, onChange }: Props) {
  const t = useMessages(operationsMessages)
  return (
    <>
      <TextField
        label={t.from}
        type="datetime-local"
        value={toLocalField(search.from)}
        onChange={(text) => onChange({ from: fromLocalField(text) })}
      />
      <TextField
        label={t.to}
        type="datetime-local"
        value={toLocalField(search.to)}
        onChange={(text) => onChange({ to: fromLocalField(text) })}
      />
    </>
  )
}
