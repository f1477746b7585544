/** What the watchdog knows of devices, and the records of their calibration. */
export interface WatchSchema {
  deviceWatch: DeviceWatchTable
  deviceCadence: DeviceCadenceTable
  watchAbsence: WatchAbsenceTable
  watchBeat: WatchBeatTable
  outageMember: OutageMemberTable
  calibration: CalibrationTable
}

/** When a device was last heard and when it is to be heard again. Of a device that has sent something; written in batches, behind by seconds. */
export interface DeviceWatchTable {
  deviceId: string
  /** Event time of its newest reading, and when the last message came. */
  newestAt: number
  arrivedAt: number
  /** Learned: between readings in event time, and between messages; null: not yet. */
  cadenceMs: number | null
  pauseMs: number | null
  /** How long it may say nothing now. */
  limitMs: number
  /** When somebody has to look at it next; null: it is silent, or nobody has to. */
  dueAt: number | null
  /** Readings in this span of event time may have filled or made a silence; `checkBy`: when the last of them was accepted. Null: nothing to do. */
  checkFrom: number | null
  checkTo: number | null
  checkBy: number | null
  /** Event time of the first reading without power; null while there is power, or nothing is known of it. */
  powerLostAt: number | null
  /** How far its clock is off, steadily: positive when it is behind. Null: not noticeably. */
  clockOffMs: number | null
}

/** The cadence that a person has set for a device, from a moment on; null: learned again. */
export interface DeviceCadenceTable {
  deviceId: string
  validFrom: number
  cadenceMs: number | null
}

/** When we did not listen: nobody watched, or nothing could come in. */
export interface WatchAbsenceTable {
  fromAt: number
  toAt: number
}

/** One row: when a watcher last looked, and when anything last came from anybody. */
export interface WatchBeatTable {
  id: string
  at: number
  arrivedAt: number
}

/** The devices of an outage. */
export interface OutageMemberTable {
  breachId: string
  deviceId: string
  reason: OutageReason
  /** Event time of the last reading, or of the first one without power. */
  since: number
  /** When it was back; null: not yet. */
  backAt: number | null
}

export type OutageReason = 'silent' | 'power'

export interface CalibrationTable {
  id: string
  deviceId: string
  sensor: string
  calibratedAt: number
  dueAt: number
  certificate: string | null
  performedBy: string | null
  comment: string | null
  /** Of its sensor. */
  isNewest: 0 | 1
  /** The breach that says it is overdue. */
  breachId: string | null
  createdBy: string
  createdAt: number
}
