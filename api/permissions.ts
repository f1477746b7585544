import type { Role } from '../domain/role.ts'

const ALL: readonly Role[] = ['administrator', 'manager', 'operator', 'viewer', 'service']
const ACTING: readonly Role[] = ['administrator', 'manager', 'operator', 'service']
const MANAGING: readonly Role[] = ['administrator', 'manager']

/**
 * Who may call what, by operationId. `public`: without a token. A route that is not named here does not start.
 * The role says what a person may do; where they may do it is their part of the hierarchy, checked with the row itself.
 */
export const PERMISSIONS = {
  login: 'public',
  refreshTokens: 'public',
  logout: 'public',
  getMe: ALL,
  changeMyPassword: ALL,

  listUsers: MANAGING,
  createUser: MANAGING,
  updateUser: MANAGING,

  createFacility: MANAGING,
  listFacilities: ALL,
  getFacility: ALL,
  updateFacility: MANAGING,
  createStoragePoint: MANAGING,
  listStoragePoints: ALL,

  createEquipment: MANAGING,
  listEquipment: ALL,
  getEquipment: ALL,
  updateEquipment: MANAGING,

  createDevice: MANAGING,
  listDevices: ALL,
  getDevice: ALL,
  updateDevice: MANAGING,
  rotateDeviceToken: MANAGING,
  commandDevice: MANAGING,
  listReadings: ALL,

  listBreaches: ALL,
  getBreach: ALL,
  acknowledgeBreach: ACTING,

  listRules: ALL,
  listProfiles: ALL,

  listRefusals: ALL,
  getRefusal: ALL,
  replayRefusal: MANAGING,

  recordStockEvent: ACTING,
  listStockEvents: ALL,
  getStockEvent: ALL,
  reverseStockEvent: ACTING,
  listStock: ALL,

  getStockCard: ALL,
  reportStockOnHand: ALL,
  reportStockOuts: ALL,
  reportCoverage: ALL,
  reportConsumption: ALL,
  reportWastage: ALL,
  reportExpiryRisk: ALL,
  reportDiscrepancies: ALL,
  reportForecast: ALL,
  reportReportingCompleteness: ALL,
  reportOrderFillRate: ALL,
  reportLeadTime: ALL,

  openStream: ALL,
} as const satisfies Record<string, readonly Role[] | 'public'>

export type OperationId = keyof typeof PERMISSIONS

/** Whether this role may call this operation at all. */
export function mayCall(role: Role, operation: OperationId): boolean {
  const roles: readonly Role[] | 'public' = PERMISSIONS[operation]
  return roles === 'public' || roles.includes(role)
}

/** A person gives nobody more rights than they have: what each role may hand out. */
export const GRANTABLE = {
  administrator: ALL,
  manager: ['manager', 'operator', 'viewer', 'service'],
  operator: [],
  viewer: [],
  service: [],
} as const satisfies Record<Role, readonly Role[]>
