import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../root-route.ts'
import { LOG_LEVEL_NAMES, type LogSearch } from './operations/log-search.ts'

/** The parameters of an address that are texts; whatever else stands there is left out. */
function texts<const N extends string>(...names: readonly N[]) {
  return (search: Record<string, unknown>): { readonly [K in N]?: string } => {
    const given = names.filter((name) => typeof search[name] === 'string' && search[name] !== '')
    return Object.fromEntries(given.map((name) => [name, search[name]])) as { [K in N]?: string }
  }
}

const layoutRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/administration',
  component: lazyRouteComponent(() => import('./layout.tsx'), 'Layout'),
})

const facilitiesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/',
  // Without `under`: the top of what the person sees. With `q`: what is called so, wherever it lies.
  validateSearch: texts('under', 'q'),
  component: lazyRouteComponent(() => import('./facilities.tsx'), 'Facilities'),
})
const importRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/import',
  component: lazyRouteComponent(() => import('./import/import.tsx'), 'Import'),
})
const devicesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/devices',
  validateSearch: texts('facilityId', 'q', 'show'),
  component: lazyRouteComponent(() => import('./devices/list.tsx'), 'DeviceList'),
})
const deviceRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/devices/$deviceId',
  component: lazyRouteComponent(() => import('./devices/detail.tsx'), 'DeviceDetail'),
})
const labelsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/labels',
  validateSearch: texts('facilityId'),
  component: lazyRouteComponent(() => import('./devices/labels.tsx'), 'Labels'),
})
const refusalsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/refusals',
  validateSearch: texts('code', 'deviceId'),
  component: lazyRouteComponent(() => import('./devices/refusals.tsx'), 'Refusals'),
})
const refusalRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/refusals/$refusalId',
  component: lazyRouteComponent(() => import('./devices/refusal.tsx'), 'RefusalPage'),
})
const usersRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/users',
  validateSearch: texts('facilityId', 'q'),
  component: lazyRouteComponent(() => import('./users/list.tsx'), 'UserList'),
})
const userRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/users/$userId',
  component: lazyRouteComponent(() => import('./users/detail.tsx'), 'UserPage'),
})
const alarmsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/alarms',
  validateSearch: texts('facilityId'),
  component: lazyRouteComponent(() => import('./alarms/alarms.tsx'), 'Alarms'),
})
const queuesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/queues',
  component: lazyRouteComponent(() => import('./operations/queues.tsx'), 'Queues'),
})
const parkedRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/queues/$parkedId',
  component: lazyRouteComponent(() => import('./operations/parked.tsx'), 'ParkedPage'),
})
const logText = texts('part', 'from', 'to', 'requestId', 'deviceId', 'userId', 'text')
const logsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/logs',
  validateSearch: (search: Record<string, unknown>): LogSearch => {
    const level = LOG_LEVEL_NAMES.find((one) => one === search['level'])
    return { ...logText(search), ...(level && { level }) }
  },
  component: lazyRouteComponent(() => import('./operations/logs.tsx'), 'Logs'),
})
const auditRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/audit',
  validateSearch: texts('from', 'to', 'userId', 'text'),
  component: lazyRouteComponent(() => import('./operations/audit.tsx'), 'Audit'),
})

export const administrationRoute = layoutRoute.addChildren([
  facilitiesRoute,
  importRoute,
  devicesRoute,
  deviceRoute,
  labelsRoute,
  refusalsRoute,
  refusalRoute,
  usersRoute,
  userRoute,
  alarmsRoute,
  queuesRoute,
  parkedRoute,
  logsRoute,
  auditRoute,
])

/** Of whoever is at the screen. */
export const accountRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/account',
  component: lazyRouteComponent(() => import('./users/account.tsx'), 'Account'),
})

/** What the label of a device says: it stays right wherever the device is moved to. */
export const labelledRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/devices/$deviceId',
  component: lazyRouteComponent(() => import('./devices/labelled.tsx'), 'Labelled'),
})
