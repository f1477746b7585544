import type { Comparator, Measure, Mode, RuleQuantity, Severity, Window } from '../domain/rule.ts'

/** The rules by which readings are judged, as versioned data. */
export interface RulesSchema {
  profile: ProfileTable
  profileVersion: ProfileVersionTable
  rule: RuleTable
  profileRule: ProfileRuleTable
  profileOverride: ProfileOverrideTable
  equipmentProfile: EquipmentProfileTable
  ruleChange: RuleChangeTable
}

export interface ProfileTable {
  /** What equipment gives as its `profile`. */
  code: string
  name: string
  description: string
  /** Whose it is: for equipment in and below this facility; null: of the whole programme. */
  facilityId: string | null
  /** Comes with the program, and changes with it only. */
  isShipped: 0 | 1
  createdAt: number
}

/** At any event time the rules of the newest version hold that is valid then. */
export interface ProfileVersionTable {
  profile: string
  /** Counts from 1. */
  version: number
  /** Event times in [validFrom, validTo); null: unbounded. */
  validFrom: number | null
  validTo: number | null
  comment: string
  publishedAt: number
  /** Null: shipped. */
  publishedBy: string | null
}

/** Never changed: what made a breach can always be read. */
export interface RuleTable {
  id: string
  profile: string
  /** The first version of the profile that has it. */
  version: number
  name: string
  /** Those of the watchdog are in no version of a profile. */
  quantity: RuleQuantity
  measure: Measure
  comparator: Comparator
  threshold: number
  mode: Mode
  durationMs: number
  windowKind: Window['kind'] | null
  windowMs: number | null
  hysteresis: number
  gapMsMax: number
  severity: Severity
  /** Local times of day, `HH:MM`. */
  activeFrom: string | null
  activeTo: string | null
  /** Event times, within those of the version. */
  validFrom: number | null
  validTo: number | null
}

/** Which rules a version has. One that did not change goes from version to version, so that what it was counting goes on. */
export interface ProfileRuleTable {
  profile: string
  version: number
  ruleId: string
}

/** From `fromAt` on, until the next row of this facility and profile, equipment in and below it has the rules of another profile. */
export interface ProfileOverrideTable {
  facilityId: string
  profile: string
  /** Event time; 0: always. */
  fromAt: number
  /** Null: the override ends, and that of the next facility above holds, or none. */
  replacement: string | null
  setAt: number
  setBy: string
}

/** The profile that equipment had until a change; the last one is in `equipment.profile`. */
export interface EquipmentProfileTable {
  equipmentId: string
  /** Event time, exclusive. */
  untilAt: number
  profile: string
  changedAt: number
  changedBy: string
}

/** Rules changed: the notifier judges again what they reach. Written in the transaction of the change itself. */
export interface RuleChangeTable {
  id: string
  at: number
  /** Event time from which on other rules hold. */
  fromAt: number
  /** JSON: of which profiles, and under which paths. */
  reaches: string
  /** When everything that it reaches was given to the judge; null: still to do. */
  doneAt: number | null
}
