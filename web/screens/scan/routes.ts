import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

/** What was scanned, and where the person is. */
export interface ScanSearch {
  readonly code?: string | undefined
  readonly facilityId?: string | undefined
}

export const scanRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/scan',
  validateSearch: ({ code, facilityId }: Record<string, unknown>): ScanSearch => ({
    // A code that is digits alone comes as a number when somebody wrote the address.
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    ...(typeof facilityId === 'string' && { facilityId }),
  }),
  component: lazyRouteComponent(() => import('./scan.tsx'), 'ScanPage'),
})
