import type { UseQueryResult } from '@tanstack/react-query'
import { useFormat } from '../format.ts'
import { useMessages } from '../messages.ts'
import { shellMessages } from '../shell/messages.ts'
import { Chip } from './chip.tsx'

/** Says how old what is shown is, when it could not be asked again. */
export function AgeNote({ of }: { readonly of: UseQueryResult }) {
  const t = useMessages(shellMessages)
  const format = useFormat()
  if (of.data === undefined || !(of.isError || of.fetchStatus === 'paused')) return undefined
  const seconds = (Date.now() - of.dataUpdatedAt) / 1000
  return (
    <p role="status">
      <Chip state="silent" icon="clock">
        {t.age(format.span(seconds))}
      </Chip>
    </p>
  )
}
