/** Who may do what. A person acts only inside the subtree of their facility; `administrator` stands at the root of the whole tree. */
export const ROLES = ['administrator', 'manager', 'operator', 'viewer', 'service'] as const
export type Role = (typeof ROLES)[number]

export const LEVELS = ['country', 'province', 'district', 'facility'] as const
export type Level = (typeof LEVELS)[number]

export const EQUIPMENT_KINDS = ['refrigerator', 'freezer', 'cold-room', 'cold-box', 'vehicle'] as const
export type EquipmentKind = (typeof EQUIPMENT_KINDS)[number]
