import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ORDER_KINDS, ORDER_STATUSES, type OrderKind, type OrderStatus } from '../../../domain/order.ts'
import { rootRoute } from '../../root-route.ts'

/** What the list is narrowed to; in the address, so that it can be sent to a colleague. */
export interface OrdersSearch {
  readonly status?: OrderStatus | undefined
  readonly kind?: OrderKind | undefined
  readonly facilityId?: string | undefined
}

/** The place that asks, what it asks for, or the draft that is changed. */
export interface NewOrderSearch {
  readonly kind?: OrderKind | undefined
  readonly facilityId?: string | undefined
  readonly draft?: string | undefined
}

/** With the receipt open, as a scan or a link of the stock leaves it. */
export interface ShipmentSearch {
  readonly receive?: true | undefined
}

export const ordersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/orders',
  validateSearch: (search: Record<string, unknown>): OrdersSearch => {
    const status = ORDER_STATUSES.find((one) => one === search['status'])
    const kind = ORDER_KINDS.find((one) => one === search['kind'])
    const { facilityId } = search
    return {
      ...(status && { status }),
      ...(kind && { kind }),
      ...(typeof facilityId === 'string' && { facilityId }),
    }
  },
  component: lazyRouteComponent(() => import('./list.tsx'), 'OrderList'),
})

export const newOrderRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/orders/new',
  validateSearch: (search: Record<string, unknown>): NewOrderSearch => {
    const kind = ORDER_KINDS.find((one) => one === search['kind'])
    const { facilityId, draft } = search
    return {
      ...(kind && { kind }),
      ...(typeof facilityId === 'string' && { facilityId }),
      ...(typeof draft === 'string' && { draft }),
    }
  },
  component: lazyRouteComponent(() => import('./new-order.tsx'), 'NewOrder'),
})

export const orderRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/orders/$orderId',
  component: lazyRouteComponent(() => import('./order.tsx'), 'OrderPage'),
})

/** By its id or its SSCC. */
export const shipmentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/shipments/$shipmentId',
  validateSearch: ({ receive }: Record<string, unknown>): ShipmentSearch =>
    receive === true ? { receive } : {},
  component: lazyRouteComponent(() => import('./shipment.tsx'), 'ShipmentPage'),
})

export const papersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/shipments/$shipmentId/papers',
  component: lazyRouteComponent(() => import('./papers.tsx'), 'Papers'),
})
