import { NOT_CLOSED } from '../../db/queries/breach.ts'
import type { BreachFacts } from '../../db/queries/notification.ts'

const MINUTE_MS = 60_000
export const START = Date.UTC(2026, 2, 13, 19, 10)

/** A refrigerator that has been too warm for ten hours and five minutes. */
export const high: BreachFacts = {
  breach: {
    id: 'b1',
    deviceId: 'd1',
    sensor: 'main',
    ruleId: 'who-30dtr-high',
    equipmentId: 'e1',
    facilityId: 'f1',
    state: 'open',
    severity: 'critical',
    startAt: START,
    endAt: null,
    peak: 11.44,
    peakAt: START + 500 * MINUTE_MS,
    lastAt: START + 605 * MINUTE_MS,
    readings: 61,
    acknowledgedAt: null,
    ...NOT_CLOSED,
    outageId: null,
    cause: null,
    recordedAt: START + 605 * MINUTE_MS,
    updatedAt: START + 605 * MINUTE_MS,
  },
  members: [],
  deviceName: 'Logger 17',
  equipment: { id: 'e1', name: 'Refrigerator 3', kind: 'refrigerator' },
  facility: { id: 'f1', name: 'Puskesmas Cisarua', timeZone: 'Asia/Jakarta', path: 'f1/' },
  rule: {
    id: 'who-30dtr-high',
    name: 'Above +8.0 °C for 10 hours',
    quantity: 'temperature',
    measure: 'value',
    comparator: 'gt',
    threshold: 8,
    durationMs: 600 * MINUTE_MS,
  },
}
