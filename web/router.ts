import { createRouter } from '@tanstack/react-router'
import { rootRoute } from './root-route.ts'
import { accountRoute, administrationRoute, labelledRoute } from './screens/administration/routes.ts'
import { breachRoute, breachesRoute } from './screens/breaches/routes.ts'
import { overviewRoute } from './screens/overview/routes.ts'
import { reportRoute, reportsRoute } from './screens/reports/routes.ts'
import {
  newOrderRoute,
  orderRoute,
  ordersRoute,
  papersRoute,
  shipmentRoute,
} from './screens/orders/routes.ts'
import { refrigeratorRoute, refrigeratorsRoute } from './screens/refrigerators/routes.ts'
import { scanRoute } from './screens/scan/routes.ts'
import { changeRulesRoute, profileRoute, rulesRoute } from './screens/rules/routes.ts'
import { stockItemRoute, stockRoute } from './screens/stock/routes.ts'
import { Crash } from './shell/crash.tsx'

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    overviewRoute,
    breachesRoute,
    breachRoute,
    refrigeratorsRoute,
    refrigeratorRoute,
    rulesRoute,
    profileRoute,
    changeRulesRoute,
    stockRoute,
    stockItemRoute,
    reportsRoute,
    reportRoute,
    ordersRoute,
    newOrderRoute,
    orderRoute,
    shipmentRoute,
    papersRoute,
    scanRoute,
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
