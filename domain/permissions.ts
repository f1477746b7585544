import type { Role } from './role.ts'

const ALL: readonly Role[] = ['administrator', 'manager', 'operator', 'viewer', 'service']
const ACTING: readonly Role[] = ['administrator', 'manager', 'operator', 'service']
/** Of the whole system: administrators have no part of the tree. */
const RUNNING: readonly Role[] = ['administrator']
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
  getUser: MANAGING,
  createUser: MANAGING,
  updateUser: MANAGING,

  createFacility: MANAGING,
  listFacilities: ALL,
  getFacility: ALL,
  updateFacility: MANAGING,
  createStoragePoint: MANAGING,
  listStoragePoints: ALL,
  getStoragePoint: ALL,
  updateStoragePoint: MANAGING,

  listManufacturers: ALL,
  getManufacturer: ALL,
  createManufacturer: MANAGING,
  updateManufacturer: MANAGING,
  listItems: ALL,
  getItem: ALL,
  createItem: MANAGING,
  updateItem: MANAGING,
  listTradeItems: ALL,
  getTradeItem: ALL,
  createTradeItem: MANAGING,
  updateTradeItem: MANAGING,
  listLots: ALL,
  getLot: ALL,
  createLot: MANAGING,
  updateLot: MANAGING,
  listActivities: ALL,
  getActivity: ALL,
  createActivity: MANAGING,
  updateActivity: MANAGING,
  listReasons: ALL,
  getReason: ALL,
  createReason: MANAGING,
  updateReason: MANAGING,

  listStockLevels: ALL,
  getStockLevel: ALL,
  saveStockLevel: MANAGING,
  importCsv: MANAGING,
  exportCsv: ALL,

  createEquipment: MANAGING,
  listEquipment: ALL,
  getEquipment: ALL,
  listEquipmentStates: ALL,
  countEquipmentStates: ALL,
  getOverview: ALL,
  updateEquipment: MANAGING,
  getEquipmentExposure: ALL,
  getDeviceExposure: ALL,
  getTimeToBreach: ALL,
  listTimeToBreach: ALL,

  createDevice: MANAGING,
  listDevices: ALL,
  getDevice: ALL,
  updateDevice: MANAGING,
  rotateDeviceToken: MANAGING,
  commandDevice: MANAGING,
  listReadings: ALL,

  listSilences: ALL,
  listCalibrations: ALL,
  addCalibration: ACTING,

  listBreaches: ALL,
  getBreach: ALL,
  acknowledgeBreach: ACTING,
  closeBreach: ACTING,

  getMyContact: ALL,
  updateMyContact: ALL,
  getContact: MANAGING,
  updateContact: MANAGING,
  getPushKey: ALL,
  listMyPushSubscriptions: ALL,
  createMyPushSubscription: ALL,
  removeMyPushSubscription: ALL,
  listNotifications: ALL,
  testNotification: ACTING,
  createEscalationPolicy: MANAGING,
  listEscalationPolicies: ALL,
  getEscalationPolicy: ALL,
  updateEscalationPolicy: MANAGING,
  createOnCallList: MANAGING,
  listOnCallLists: ALL,
  getOnCallList: ALL,
  updateOnCallList: MANAGING,
  getFacilityEscalation: ALL,
  updateFacilityEscalation: MANAGING,

  listRules: ALL,
  listProfiles: ALL,
  getProfile: ALL,
  // Of a facility's own; those of the programme by administrators and managers at the root.
  createProfile: MANAGING,
  publishProfileVersion: MANAGING,
  listProfileOverrides: ALL,
  setProfileOverride: MANAGING,
  listEquipmentRules: ALL,
  previewRules: ALL,

  listRefusals: ALL,
  getRefusal: ALL,
  replayRefusal: MANAGING,

  // What the parts said is shown to administrators only.
  listLogs: MANAGING,
  listQueues: RUNNING,
  listParkedBatches: RUNNING,
  getParkedBatch: RUNNING,
  replayParkedBatch: RUNNING,
  replayParkedBatches: RUNNING,
  discardParkedBatch: RUNNING,

  recordStockEvent: ACTING,
  listStockEvents: ALL,
  getStockEvent: ALL,
  reverseStockEvent: ACTING,
  listStock: ALL,

  scanCode: ALL,
  buildLabel: ALL,
  getLotLabel: ALL,
  queryEpcisEvents: ALL,
  queryEpcisEventsOfType: ALL,
  getEpcisEvent: ALL,
  captureEpcis: ACTING,
  getEpcisCapture: ALL,
  createOrder: ACTING,
  listOrders: ALL,
  getOrder: ALL,
  updateOrder: ACTING,
  suggestOrder: ALL,
  getOrderHistory: ALL,
  getResupply: ALL,
  submitOrder: ACTING,
  approveOrder: MANAGING,
  rejectOrder: MANAGING,
  allocateOrder: ACTING,
  pickOrder: ACTING,
  cancelOrder: ACTING,
  closeOrder: ACTING,
  createShipment: ACTING,
  listShipments: ALL,
  getShipment: ALL,
  receiveShipment: ACTING,
  reverseReceipt: ACTING,
  recallShipment: ACTING,
  // A national decision: of these, administrators and managers at the root.
  recallLot: MANAGING,
  traceLot: ALL,
  traceLotEvents: ALL,
  createDisposal: ACTING,
  listDisposals: ALL,
  getDisposal: ALL,
  approveDisposal: MANAGING,
  cancelDisposal: ACTING,
  carryOutDisposal: ACTING,
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
  reportAlarms: ALL,

  openStream: ALL,
  recordStockEvents: ACTING,
  listChanges: ALL,
} as const satisfies Record<string, readonly Role[] | 'public'>

export type OperationId = keyof typeof PERMISSIONS

/**
 * What is the whole programme's: of those whom the table allows it, only administrators and managers at the root of a tree may do it.
 * A lot is registered where it arrives first; what it is said to be is changed by the programme alone.
 */
export const NATIONAL: ReadonlySet<OperationId> = new Set([
  'createManufacturer',
  'updateManufacturer',
  'createItem',
  'updateItem',
  'createTradeItem',
  'updateTradeItem',
  'updateLot',
  'createActivity',
  'updateActivity',
  'createReason',
  'updateReason',
])

/**
 * Whether a person may call this operation.
 * @param scope path of their part of the tree; empty for all of it
 */
export function may({ role, scope }: { role: Role; scope: string }, operation: OperationId): boolean {
  return mayCall(role, operation) && (isNational(scope) || !NATIONAL.has(operation))
}

/** Whether this part of the tree is all of it. The path of a root is one id and a slash. */
export function isNational(scope: string): boolean {
  return scope.indexOf('/') === scope.length - 1
}

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
