import { useQuery } from '@tanstack/react-query'
import { query, useMe, wholeList } from '../../api.ts'
import type { Item } from '../../operations.ts'

/** The one place whose stock can be changed here: the chosen one, or the person's own when they have no other. */
export function usePlace(chosen: string | undefined): string | undefined {
  const me = useMe()
  const below = useQuery(query('listFacilities', { query: { limit: 50 } })).data?.items
  if (chosen !== undefined) return chosen
  return below?.length === 1 ? (me?.facilityId ?? below[0]?.id) : undefined
}

/** The stock of a place and of those below it, and what should be there. The same question on every screen, so that without a network it is known. */
export function useStock(facilityId: string | undefined) {
  const asked = facilityId === undefined ? {} : { facilityId }
  return {
    stock: useQuery(wholeList('listStock', asked)),
    levels: useQuery(wholeList('listStockLevels', asked)),
  }
}

export function useItems(): ReadonlyMap<string, Item> {
  const items = useQuery(wholeList('listItems', {})).data?.items ?? []
  return new Map(items.map((item) => [item.id, item]))
}

/** What the forms ask for, asked when a screen opens, so that they work without a network later. */
export function useFormLists(facilityId: string | undefined) {
  const isOne = facilityId !== undefined
  return {
    points: useQuery({
      ...wholeList('listStoragePoints', isOne ? { facilityId } : {}),
      enabled: isOne,
    }).data?.items.filter((point) => point.facilityId === facilityId),
    reasons: useQuery(wholeList('listReasons', {})).data?.items,
  }
}
