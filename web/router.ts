import { createRoute, createRouter, redirect } from '@tanstack/react-router'
import { rootRoute } from './root-route.ts'
import { accountRoute, administrationRoute, labelledRoute } from './screens/administration/routes.ts'
import { breachRoute, breachesRoute } from './screens/breaches/routes.ts'
import { refrigeratorRoute, refrigeratorsRoute } from './screens/refrigerators/routes.ts'
import { stockItemRoute, stockRoute } from './screens/stock/routes.ts'
import { Crash } from './shell/crash.tsx'

// Until there is an overview, what needs somebody is the list of breaches.
const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/breaches' })
  },
})

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    homeRoute,
    breachesRoute,
    breachRoute,
    refrigeratorsRoute,
    refrigeratorRoute,
    stockRoute,
    stockItemRoute,
    administrationRoute,
    labelledRoute,
    accountRoute,
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: Crash,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
