import { useQueries, useQuery } from '@tanstack/react-query'
import { query, wholeList, type OperationId } from '../../api.ts'
import type { Lot, Order, Reason } from '../../operations.ts'

/** What a step of an order or a shipment outdates: orders, and the stock that they move. */
export const OUTDATED: readonly OperationId[] = [
  'listOrders',
  'getOrder',
  'getOrderHistory',
  'listShipments',
  'getShipment',
  'getResupply',
  'listStock',
  'listStockLevels',
  'getStockCard',
]

/** The stream tells of stock and not of papers: what the other side decides is asked for. */
export const ORDER_AGAIN_MS = 15_000

export function useOrder(id: string) {
  return useQuery({ ...query('getOrder', { params: { id } }), refetchInterval: ORDER_AGAIN_MS })
}

/** Lots by id; they are the programme's, and everybody reads them. */
export function useLots(ids: readonly string[]): ReadonlyMap<string, Lot> {
  const asked = [...new Set(ids)]
  const answers = useQueries({
    queries: asked.map((id) => ({ ...query('getLot', { params: { id } }), staleTime: 60_000 })),
  })
  return new Map(answers.flatMap(({ data }) => (data ? [[data.id, data] as const] : [])))
}

/** Reasons of one kind that can be chosen. */
export function useReasons(kind: Reason['kind']): readonly Reason[] {
  const all = useQuery(wholeList('listReasons', {})).data?.items ?? []
  return all.filter((reason) => reason.kind === kind && reason.archivedAt === null)
}

/** What a reason is called; its code when it is not known. */
export function useReasonName(): (code: string) => string {
  const all = useQuery(wholeList('listReasons', {})).data?.items ?? []
  const names = new Map(all.map(({ code, name }) => [code, name]))
  return (code) => names.get(code) ?? code
}

/** The facility whose step is next. */
export function waitingPlace(order: Order): { readonly id: string; readonly name: string } | undefined {
  if (order.waitingFor === null) return undefined
  return order.waitingFor === 'sender'
    ? { id: order.fromFacilityId, name: order.fromFacilityName }
    : { id: order.toFacilityId, name: order.toFacilityName }
}
