import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { v7 } from 'uuid'
import type { OperationId } from './api.ts'

interface Options<A> {
  /** What is asked again when it is done. */
  readonly outdates: readonly OperationId[]
  readonly onDone?: (answer: A) => void
}

/**
 * Something that is done at the server once, however often its form is sent: the Idempotency-Key that `work` gets stays the same until the server
 * has said that it is done. Without a network it fails at once, and says so: it is not kept for later.
 */
export function useOnce<I, A>(work: (key: string, input: I) => Promise<A>, { outdates, onDone }: Options<A>) {
  const client = useQueryClient()
  const key = useRef<string>(undefined)
  return useMutation({
    networkMode: 'always',
    mutationFn: async (input: I) => {
      key.current ??= v7()
      return work(key.current, input)
    },
    onSuccess: (answer) => {
      key.current = undefined
      onDone?.(answer)
      for (const operation of outdates) void client.invalidateQueries({ queryKey: [operation] })
    },
  })
}
