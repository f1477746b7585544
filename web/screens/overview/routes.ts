import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

/** The place that is looked at; without it, where the person acts. */
export interface OverviewSearch {
  readonly facilityId?: string
}

export const overviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: ({ facilityId }: Record<string, unknown>): OverviewSearch =>
    typeof facilityId === 'string' ? { facilityId } : {},
  component: lazyRouteComponent(() => import('./overview.tsx'), 'Overview'),
})
