import type { FetchStatus } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useMessages } from '../messages.ts'
import { shellMessages } from '../shell/messages.ts'
import { AgeNote } from './age-note.tsx'
import { Button } from './button.tsx'
import { ProblemNote } from './problem-note.tsx'
import { Skeleton } from './skeleton.tsx'

interface Props<T> {
  /** As `usePaged` gives it. */
  readonly of: {
    readonly list: {
      readonly data: unknown
      readonly error: unknown
      readonly isError: boolean
      readonly fetchStatus: FetchStatus
      readonly dataUpdatedAt: number
      readonly hasNextPage: boolean
      readonly isFetchingNextPage: boolean
      readonly refetch: () => unknown
      readonly fetchNextPage: () => unknown
    }
    readonly items: readonly T[] | undefined
  }
  /** Instead of a list that has nothing. */
  readonly empty: ReactNode
  readonly children: (items: readonly T[]) => ReactNode
}

/** A list in all of its states: coming, failed, without a network, empty, with more to show. */
export function PagedList<T>({ of: { list, items }, empty, children }: Props<T>) {
  const t = useMessages(shellMessages)
  if (!items && (list.isError || list.fetchStatus === 'paused'))
    return <ProblemNote problem={list.error} onRetry={() => void list.refetch()} />
  if (!items) return <Skeleton rows={3} />
  return (
    <>
      <AgeNote of={list} />
      {items.length === 0 ? empty : children(items)}
      {list.hasNextPage && (
        <div>
          <Button
            kind="normal"
            isDisabled={list.isFetchingNextPage}
            onPress={() => void list.fetchNextPage()}
          >
            {t.more}
          </Button>
        </div>
      )}
    </>
  )
}
