import { onlineManager, type UseQueryResult } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { useFormat } from '../format.ts'
import { useMessages } from '../messages.ts'
import { shellMessages } from '../shell/messages.ts'
import { Chip } from './chip.tsx'

type Asked = Pick<UseQueryResult, 'data' | 'isError' | 'fetchStatus' | 'dataUpdatedAt'>

/** Says how old what is shown is, when it could not be asked again. */
export function AgeNote({ of }: { readonly of: Asked }) {
  const t = useMessages(shellMessages)
  const format = useFormat()
  // A young answer is not asked again, so without a network it neither fails nor pauses.
  const isOnline = useSyncExternalStore(onlineManager.subscribe, () => onlineManager.isOnline())
  if (of.data === undefined || (isOnline && !of.isError && of.fetchStatus !== 'paused')) return undefined
  const seconds = (Date.now() - of.dataUpdatedAt) / 1000
  return (
    <p role="status">
      <Chip state="silent" icon="clock">
        {t.age(format.span(seconds))}
      </Chip>
    </p>
  )
}
