import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'

const SHOWN = ['open', 'ended', 'closed', 'withdrawn', 'any'] as const
const SEVERITIES = ['warning', 'critical'] as const

/** What the list is narrowed to; in the address, so that it can be sent to a colleague. Without `state`: what is open. */
export interface BreachSearch {
  readonly state?: (typeof SHOWN)[number]
  readonly severity?: (typeof SEVERITIES)[number]
  readonly facilityId?: string
}

export const breachesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/breaches',
  validateSearch: (search: Record<string, unknown>): BreachSearch => {
    const state = SHOWN.find((one) => one === search['state'])
    const severity = SEVERITIES.find((one) => one === search['severity'])
    const { facilityId } = search
    return {
      ...(state && { state }),
      ...(severity && { severity }),
      ...(typeof facilityId === 'string' && { facilityId }),
    }
  },
  component: lazyRouteComponent(() => import('./inbox.tsx'), 'Inbox'),
})

export const breachRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/breaches/$breachId',
  component: lazyRouteComponent(() => import('./detail.tsx'), 'Detail'),
})
