import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

/** Without `under`: the top of what the person sees. */
export interface PlacesSearch {
  readonly under?: string
}

export const administrationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/administration',
  validateSearch: ({ under }: Record<string, unknown>): PlacesSearch =>
    typeof under === 'string' ? { under } : {},
  component: lazyRouteComponent(() => import('./facilities.tsx'), 'Facilities'),
})
