import { useQuery } from '@tanstack/react-query'
import { query } from '../../api.ts'

/** A name that changes seldom. */
const FRESH_MS = 300_000

/** The name of a place; while it comes, three dots. */
export function usePlaceName(id: string | null): string {
  const { data } = useQuery({
    ...query('getFacility', { params: { id: id ?? '' } }),
    enabled: id !== null,
    staleTime: FRESH_MS,
  })
  return data?.name ?? '…'
}

/** The name of a person; `unknown` for somebody whom the person at the screen may not see. */
export function useUserName(id: string, unknown: string): string {
  const { data, isError } = useQuery({
    ...query('getUser', { params: { id } }),
    enabled: id !== '',
    staleTime: FRESH_MS,
  })
  return data?.name ?? (isError || id === '' ? unknown : '…')
}
