import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

export const STATES = ['warm', 'cold', 'silent', 'unknown', 'in-range'] as const
export const RANGES = ['day', 'week', 'month', 'year'] as const

/** What the list is narrowed to, in the address. */
export interface RefrigeratorSearch {
  readonly state?: (typeof STATES)[number]
  readonly q?: string
  readonly facilityId?: string
}

/**
 * What the curve shows: up to now, or from one moment to another, in epoch milliseconds; without any of it the last day. Of which sensor of which
 * device, without them the first; and whether the neighbours are shown with it.
 */
export interface CurveSearch {
  readonly range?: (typeof RANGES)[number]
  readonly from?: number
  readonly to?: number
  readonly device?: string
  readonly sensor?: string
  readonly neighbours?: true
}

export const refrigeratorsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/refrigerators',
  validateSearch: (search: Record<string, unknown>): RefrigeratorSearch => {
    const state = STATES.find((one) => one === search['state'])
    const { q, facilityId } = search
    return {
      ...(state && { state }),
      ...(typeof q === 'string' && q.trim() !== '' && { q }),
      ...(typeof facilityId === 'string' && { facilityId }),
    }
  },
  component: lazyRouteComponent(() => import('./list.tsx'), 'List'),
})

export const refrigeratorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/refrigerators/$equipmentId',
  validateSearch: (search: Record<string, unknown>): CurveSearch => {
    const { device, sensor, neighbours } = search
    return {
      ...timeOf(search),
      ...(typeof device === 'string' && { device }),
      ...(typeof sensor === 'string' && { sensor }),
      ...(neighbours === true && { neighbours }),
    }
  },
  component: lazyRouteComponent(() => import('./detail.tsx'), 'Detail'),
})

function timeOf({
  range: asked,
  from,
  to,
}: Record<string, unknown>): Pick<CurveSearch, 'range' | 'from' | 'to'> {
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) < Number(to))
    return { from: Number(from), to: Number(to) }
  const range = RANGES.find((one) => one === asked)
  return range ? { range } : {}
}
