import { useInfiniteQuery } from '@tanstack/react-query'
import { call, type Asked, type ItemOf, type ListId } from './api.ts'
import type { Operations } from './operations.ts'

interface Options {
  /** Asks again this often. */
  readonly refetchInterval?: number | false
}

/** A list of the API that grows page by page as the person asks for more. */
export function usePaged<K extends ListId>(
  operation: K,
  asked: Operations[K]['query'],
  { refetchInterval = false }: Options = {},
) {
  const list = useInfiniteQuery({
    queryKey: [operation, asked, 'pages'] as const,
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...asked, ...(pageParam !== '' && { cursor: pageParam }) }
      const page: Operations[ListId]['response'] = await call(operation, {
        query,
        signal,
      } as unknown as Asked<K>)
      return { items: page.items as readonly ItemOf<K>[], nextCursor: page.nextCursor }
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval,
  })
  return { list, items: list.data?.pages.flatMap((page) => page.items) }
}
