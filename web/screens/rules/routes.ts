import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

/** On which equipment a change is tried. */
export interface ChangeSearch {
  readonly equipmentId?: string
}

export const rulesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/rules',
  component: lazyRouteComponent(() => import('./list.tsx'), 'Profiles'),
})

export const profileRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/rules/$profileId',
  component: lazyRouteComponent(() => import('./profile.tsx'), 'Profile'),
})

export const changeRulesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/rules/$profileId/change',
  validateSearch: ({ equipmentId }: Record<string, unknown>): ChangeSearch =>
    typeof equipmentId === 'string' ? { equipmentId } : {},
  component: lazyRouteComponent(() => import('./change.tsx'), 'Change'),
})
