import { dehydrate, hydrate, type DehydratedState, type QueryClient } from '@tanstack/react-query'
import type { OperationId } from './api.ts'
import { kept } from './kept.ts'
import { rememberedPerson } from './session.ts'

/** What can be looked at without a network. */
const KEPT: ReadonlySet<OperationId> = new Set<OperationId>([
  'getMe',
  'getOverview',
  'countEquipmentStates',
  'getFacility',
  'listFacilities',
  'listItems',
  'listLots',
  'listStoragePoints',
  'listReasons',
  'listStock',
  'listStockLevels',
  'getStockCard',
  'listOrders',
  'getOrder',
  'getOrderHistory',
  'listShipments',
  'getShipment',
  'getLot',
])
const AGE_MS_MAX = 7 * 86_400_000
const CHARS_MAX = 3_000_000
const SETTLE_MS = 1000

/** Puts back what this person saw last on this device; each answer knows how old it is, and is asked again when it can be. */
export async function restoreAnswers(client: QueryClient): Promise<void> {
  const person = rememberedPerson()
  if (!person) return
  const state = await (await kept()).get('answers', person.id)
  if (state) hydrate(client, bounded(state))
}

/**
 * Keeps on the device what the person sees, under their id. Of that the newest, within a bound.
 * @returns stops it
 */
export function keepAnswers(client: QueryClient): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  for (const operation of KEPT) client.setQueryDefaults([operation], { gcTime: AGE_MS_MAX })
  const keep = async () => {
    const person = rememberedPerson()
    if (!person) return
    const state = dehydrate(client, {
      shouldDehydrateQuery: ({ queryKey, state: { status } }) =>
        status === 'success' && KEPT.has(queryKey[0] as OperationId),
    })
    await (await kept()).put('answers', bounded(state), person.id)
  }
  const stop = client.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'success') return
    timer ??= setTimeout(() => {
      timer = undefined
      // A device that has no room keeps what it had.
      void keep().catch(() => undefined)
    }, SETTLE_MS)
  })
  return () => {
    stop()
    clearTimeout(timer)
  }
}

function bounded({ queries }: DehydratedState): DehydratedState {
  let chars = 0
  const newest = queries
    .filter(({ state }) => state.dataUpdatedAt > Date.now() - AGE_MS_MAX)
    .toSorted((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)
    .filter(({ state }) => (chars += JSON.stringify(state.data).length) <= CHARS_MAX)
  return { queries: newest, mutations: [] }
}
