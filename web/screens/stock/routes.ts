import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

export const MOVES = ['consume', 'issue', 'receive', 'count', 'wastage', 'adjust'] as const
export type Move = (typeof MOVES)[number]

/** The place that is looked at; without it, all that the person may see. */
export interface StockSearch {
  readonly facilityId?: string | undefined
}

/** With a form open, as a scan leaves it. */
export interface StockItemSearch extends StockSearch {
  readonly move?: Move
  readonly lotId?: string
}

export const stockRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/stock',
  validateSearch: ({ facilityId }: Record<string, unknown>): StockSearch =>
    typeof facilityId === 'string' ? { facilityId } : {},
  component: lazyRouteComponent(() => import('./list.tsx'), 'StockList'),
})

export const stockItemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/stock/$itemId',
  validateSearch: (search: Record<string, unknown>): StockItemSearch => {
    const move = MOVES.find((one) => one === search['move'])
    const { facilityId, lotId } = search
    return {
      ...(typeof facilityId === 'string' && { facilityId }),
      ...(typeof lotId === 'string' && { lotId }),
      ...(move && { move }),
    }
  },
  component: lazyRouteComponent(() => import('./item.tsx'), 'StockItem'),
})
