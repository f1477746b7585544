import type { LinkProps } from '@tanstack/react-router'
import type { OperationId } from '../../../domain/permissions.ts'
import type { administrationMessages } from './messages.ts'

interface Page {
  readonly name: keyof typeof administrationMessages.en.pages
  readonly to: NonNullable<LinkProps['to']>
  /** What it cannot do without: who may not call this does not see the page. */
  readonly needs: OperationId
  /** It is reached from another page and has no place in the navigation. */
  readonly isWithin?: true
}

/** The navigation of the administration, in its order. */
export const PAGES: readonly Page[] = [
  { name: 'facilities', to: '/administration', needs: 'createFacility' },
  { name: 'import', to: '/administration/import', needs: 'importCsv', isWithin: true },
  { name: 'users', to: '/administration/users', needs: 'listUsers' },
  { name: 'alarms', to: '/administration/alarms', needs: 'createEscalationPolicy' },
  { name: 'devices', to: '/administration/devices', needs: 'createDevice' },
  { name: 'labels', to: '/administration/labels', needs: 'createDevice', isWithin: true },
  { name: 'refusals', to: '/administration/refusals', needs: 'replayRefusal' },
  { name: 'queues', to: '/administration/queues', needs: 'listQueues' },
  // What the parts said is the whole system's, as the queues are.
  { name: 'logs', to: '/administration/logs', needs: 'listQueues' },
  { name: 'audit', to: '/administration/audit', needs: 'listLogs' },
]
