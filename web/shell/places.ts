import type { LinkProps } from '@tanstack/react-router'
import type { OperationId } from '../../domain/permissions.ts'
import type { IconName } from '../controls/icon.tsx'
import type { shellMessages } from './messages.ts'

export interface Place {
  readonly name: keyof typeof shellMessages.en.places
  readonly icon: IconName
  readonly to: LinkProps['to']
  /** What its screen cannot do without: who may not call this does not see the place. */
  readonly needs: OperationId
}

/** The navigation, in its order. A place is added with its screen. */
export const PLACES: readonly Place[] = [
  { name: 'overview', icon: 'home', to: '/', needs: 'getOverview' },
  { name: 'refrigerators', icon: 'fridge', to: '/refrigerators', needs: 'listEquipmentStates' },
  { name: 'breaches', icon: 'alarm', to: '/breaches', needs: 'listBreaches' },
  { name: 'stock', icon: 'box', to: '/stock', needs: 'listStock' },
  { name: 'orders', icon: 'truck', to: '/orders', needs: 'listOrders' },
  { name: 'scan', icon: 'scan', to: '/scan', needs: 'scanCode' },
  { name: 'reports', icon: 'chart', to: '/reports', needs: 'reportStockOnHand' },
  { name: 'rules', icon: 'list', to: '/rules', needs: 'publishProfileVersion' },
  { name: 'administration', icon: 'gear', to: '/administration', needs: 'createDevice' },
]
