import { createRoute, lazyRouteComponent, notFound } from '@tanstack/react-router'
import { isDate } from '../../../domain/calendar.ts'
import { rootRoute } from '../../root-route.ts'
import { REPORT_NAMES } from './reports.ts'

export const UNITS = ['day', 'month'] as const
export const HORIZONS_DAYS = [30, 60, 90, 180, 365] as const

/** What a report is narrowed to, in the address. Without a period: the last thirty days. */
export interface ReportSearch {
  readonly facilityId?: string
  readonly itemId?: string
  readonly activityCode?: string
  readonly from?: string
  readonly to?: string
  readonly by?: (typeof UNITS)[number]
  /** How far ahead a forecast looks. */
  readonly days?: (typeof HORIZONS_DAYS)[number]
}

function textsOf(search: Record<string, unknown>): ReportSearch {
  const isText = (key: string) => typeof search[key] === 'string'
  const isDay = (key: string) => isDate(String(search[key]))
  const kept = [...['facilityId', 'itemId', 'activityCode'].filter(isText), ...['from', 'to'].filter(isDay)]
  return Object.fromEntries(kept.map((key) => [key, search[key]]))
}

export const reportsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reports',
  component: lazyRouteComponent(() => import('./index.tsx'), 'ReportList'),
})

export const reportRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reports/$name',
  params: {
    parse: ({ name }) => {
      const known = REPORT_NAMES.find((one) => one === name)
      if (known === undefined) throw notFound()
      return { name: known }
    },
    stringify: ({ name }) => ({ name }),
  },
  validateSearch: (search: Record<string, unknown>): ReportSearch => {
    const by = UNITS.find((one) => one === search['by'])
    const days = HORIZONS_DAYS.find((one) => one === search['days'])
    return { ...textsOf(search), ...(by && { by }), ...(days && { days }) }
  },
  component: lazyRouteComponent(() => import('./report.tsx'), 'ReportPage'),
})
