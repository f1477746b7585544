import { EVERYWHERE } from './rule-resolution.ts'
import type { Rule } from './rule.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** What a rule is unless it says otherwise: a plain limit on a value, that always holds. */
export const RULE_DEFAULTS = {
  version: 1,
  measure: 'value',
  window: null,
  hysteresis: 0,
  gapMsMax: 2 * HOUR_MS,
  activeHours: null,
  validFrom: null,
  validTo: null,
} as const satisfies Partial<Rule>

type Given = Partial<Rule> & Pick<Rule, 'id' | 'name' | 'comparator' | 'threshold'>

/** A limit that is a breach when it is violated for `durationMs`, without interruption; 0: at once. */
function consecutive(profile: string, durationMs: number, given: Given): Rule {
  const mode = durationMs === 0 ? 'instant' : 'consecutive'
  return {
    ...RULE_DEFAULTS,
    profile,
    quantity: 'temperature',
    mode,
    durationMs,
    severity: 'critical',
    ...given,
  }
}

/** A limit whose violations add up. The indicators add up from start to stop and say no window; 10 days are as long as a journey takes (unverified). */
function cumulative(profile: string, durationMs: number, given: Given): Rule {
  const window = { kind: 'sliding', ms: 10 * DAY_MS } as const
  return { ...consecutive(profile, durationMs, given), mode: 'cumulative', window }
}

/**
 * WHO PQS E006/TR06 (30-day temperature recorder), verified in genuine Fridge-tag 2 exports (`1: T AL: +8.0, t AL: 600`,
 * `0: T AL: -0.5, t AL: 60`). High is strictly above: a genuine day with `Max T: +8.0` has `t Acc: 0`.
 */
const WHO_30DTR = [
  consecutive('who-30dtr', 600 * MINUTE_MS, {
    id: 'who-30dtr-high',
    name: 'Above +8.0 °C for 10 hours',
    comparator: 'gt',
    threshold: 8,
  }),
  consecutive('who-30dtr', 60 * MINUTE_MS, {
    id: 'who-30dtr-low',
    name: 'At or below -0.5 °C for 60 minutes',
    comparator: 'lte',
    threshold: -0.5,
  }),
]

/** Walk-in cold room. WHO PQS E006/TR03 sets the limits of a refrigerator; its delays are those of the 30-day recorder (unverified). */
const COLD_ROOM = [
  consecutive('cold-room', 600 * MINUTE_MS, {
    id: 'cold-room-high',
    name: 'Above +8.0 °C for 10 hours',
    comparator: 'gt',
    threshold: 8,
  }),
  consecutive('cold-room', 60 * MINUTE_MS, {
    id: 'cold-room-low',
    name: 'At or below -0.5 °C for 60 minutes',
    comparator: 'lte',
    threshold: -0.5,
  }),
]

/** Freezer and freezer room. WHO PQS E006/TR03: above -15 °C; the delay of an hour is that of the US VFC freezer (unverified). */
const FREEZER = [
  consecutive('freezer', 60 * MINUTE_MS, {
    id: 'freezer-high',
    name: 'Above -15.0 °C for 60 minutes',
    comparator: 'gt',
    threshold: -15,
  }),
]

/** Genuine Fridge-tag UL export: `T AL: -90.0, t AL: 60 / -60.0, t AL: 60`; beyond the limits, strictly. */
const ULTRA_COLD = [
  consecutive('ultra-cold', 60 * MINUTE_MS, {
    id: 'ultra-cold-high',
    name: 'Above -60.0 °C for 60 minutes',
    comparator: 'gt',
    threshold: -60,
  }),
  consecutive('ultra-cold', 60 * MINUTE_MS, {
    id: 'ultra-cold-low',
    name: 'Below -90.0 °C for 60 minutes',
    comparator: 'lt',
    threshold: -90,
  }),
]

/**
 * USP controlled room temperature: excursions between 15 and 30 °C are allowed, spikes up to 40 °C for no more than 24 hours (quoted in the
 * cold-chain accelerator of dev.blues.io). The delay at 15 °C, and humidity as a whole, are (unverified).
 */
const CONTROLLED_ROOM = [
  consecutive('controlled-room-temperature', 24 * HOUR_MS, {
    id: 'controlled-room-temperature-high',
    name: 'Above +30.0 °C for 24 hours',
    comparator: 'gt',
    threshold: 30,
  }),
  consecutive('controlled-room-temperature', 0, {
    id: 'controlled-room-temperature-spike',
    name: 'Above +40.0 °C',
    comparator: 'gt',
    threshold: 40,
  }),
  consecutive('controlled-room-temperature', 60 * MINUTE_MS, {
    id: 'controlled-room-temperature-low',
    name: 'Below +15.0 °C for 60 minutes',
    comparator: 'lt',
    threshold: 15,
  }),
  consecutive('controlled-room-temperature', 24 * HOUR_MS, {
    id: 'controlled-room-temperature-humidity',
    name: 'Humidity above 65 % for 24 hours',
    quantity: 'humidity',
    comparator: 'gt',
    threshold: 65,
    hysteresis: 2,
    severity: 'warning',
  }),
]

/**
 * WHO PQS E006/TR07, as in the manual of the LogTag USRID-16W1 and the WHO guides to VaxAlert and Q-tag 2 plus. "Threshold values themselves are
 * included in the alarm range." Type 1: DTP, DT, TT, Td, HepB, IPV, liquid Hib, penta, MenAfriVac, HPV, PCV.
 */
const SHIPPING_TYPE_1 = [
  consecutive('shipping-type-1', HOUR_MS, {
    id: 'shipping-type-1-hot',
    name: 'At or above +45.0 °C for 1 hour',
    comparator: 'gte',
    threshold: 45,
  }),
  cumulative('shipping-type-1', 10 * HOUR_MS, {
    id: 'shipping-type-1-warm',
    name: 'At or above +30.0 °C for 10 hours in all',
    comparator: 'gte',
    threshold: 30,
  }),
  consecutive('shipping-type-1', HOUR_MS, {
    id: 'shipping-type-1-low',
    name: 'At or below -0.5 °C for 1 hour',
    comparator: 'lte',
    threshold: -0.5,
  }),
]

/** The same sources. Type 2: BCG, lyophilised Hib, measles, MR, MMR, meningitis PS, OPV, rabies, rotavirus, yellow fever; on frozen packs, so without a low rule. */
const SHIPPING_TYPE_2 = [
  consecutive('shipping-type-2', HOUR_MS, {
    id: 'shipping-type-2-hot',
    name: 'At or above +45.0 °C for 1 hour',
    comparator: 'gte',
    threshold: 45,
  }),
  cumulative('shipping-type-2', 10 * HOUR_MS, {
    id: 'shipping-type-2-warm',
    name: 'At or above +30.0 °C for 10 hours in all',
    comparator: 'gte',
    threshold: 30,
  }),
  cumulative('shipping-type-2', 20 * HOUR_MS, {
    id: 'shipping-type-2-mild',
    name: 'At or above +10.0 °C for 20 hours in all',
    comparator: 'gte',
    threshold: 10,
  }),
]

/** US Vaccines for Children, digital data loggers: guidelines of the Alabama VFC programme. */
const US_VFC = [
  consecutive('us-vfc-refrigerator', 60 * MINUTE_MS, {
    id: 'us-vfc-refrigerator-high',
    name: 'Above +8.0 °C for 60 minutes',
    comparator: 'gt',
    threshold: 8,
  }),
  consecutive('us-vfc-refrigerator', 15 * MINUTE_MS, {
    id: 'us-vfc-refrigerator-low',
    name: 'Below +2.0 °C for 15 minutes',
    comparator: 'lt',
    threshold: 2,
  }),
  consecutive('us-vfc-freezer', 60 * MINUTE_MS, {
    id: 'us-vfc-freezer-high',
    name: 'Above -15.0 °C for 60 minutes',
    comparator: 'gt',
    threshold: -15,
  }),
]

/** What mSupply mobile comes with: msupply-foundation/mobile#843. */
const MSUPPLY = [
  consecutive('msupply', 60 * MINUTE_MS, {
    id: 'msupply-high',
    name: 'Above +8.0 °C for 60 minutes',
    comparator: 'gt',
    threshold: 8,
  }),
  consecutive('msupply', 15 * MINUTE_MS, {
    id: 'msupply-low',
    name: 'Below +2.0 °C for 15 minutes',
    comparator: 'lt',
    threshold: 2,
  }),
]

/**
 * What can be wrong with any equipment and its logger. No standard sets these limits: all are (unverified), chosen so that a healthy device never meets
 * them, and meant to be changed. Seconds are of an interval of 15 minutes, as in WHO EMS (SVA: 900 is full power; DORV).
 */
const EQUIPMENT = [
  consecutive(EVERYWHERE, 30 * MINUTE_MS, {
    id: 'power-out',
    name: 'Without power for 30 minutes',
    quantity: 'powerOn',
    comparator: 'lt',
    threshold: 1,
    severity: 'warning',
  }),
  consecutive(EVERYWHERE, 30 * MINUTE_MS, {
    id: 'power-out-seconds',
    name: 'Without good power for 30 minutes',
    quantity: 'powerGoodSeconds',
    comparator: 'lte',
    threshold: 0,
    severity: 'warning',
  }),
  consecutive(EVERYWHERE, 10 * MINUTE_MS, {
    id: 'door-open',
    name: 'Door open for 10 minutes',
    quantity: 'doorOpen',
    comparator: 'gte',
    threshold: 1,
    severity: 'warning',
  }),
  consecutive(EVERYWHERE, 0, {
    id: 'door-open-seconds',
    name: 'Door open for 10 of 15 minutes',
    quantity: 'doorOpenSeconds',
    comparator: 'gte',
    threshold: 600,
    severity: 'warning',
  }),
  consecutive(EVERYWHERE, 0, {
    id: 'battery-low',
    name: 'Battery below 20 %',
    quantity: 'battery',
    comparator: 'lt',
    threshold: 20,
    hysteresis: 5,
    severity: 'warning',
  }),
  // Two AA cells, or a lithium cell, at their end.
  consecutive(EVERYWHERE, 0, {
    id: 'battery-voltage-low',
    name: 'Battery below 2.7 V',
    quantity: 'batteryVoltage',
    comparator: 'lt',
    threshold: 2.7,
    hysteresis: 0.1,
    severity: 'warning',
  }),
  consecutive(EVERYWHERE, 0, {
    id: 'battery-days-low',
    name: 'Battery for less than 30 days',
    quantity: 'batteryDays',
    comparator: 'lt',
    threshold: 30,
    hysteresis: 5,
    severity: 'warning',
  }),
  // A sensor shows at least a tenth of a degree, and no chamber keeps that for two days.
  consecutive(EVERYWHERE, 48 * HOUR_MS, {
    id: 'sensor-stuck',
    name: 'Sensor stuck at one value for 48 hours',
    measure: 'stuck',
    comparator: 'lte',
    threshold: 0,
    severity: 'warning',
  }),
  // One jump is a logger that was moved; one after the other are a loose contact.
  consecutive(EVERYWHERE, 30 * MINUTE_MS, {
    id: 'sensor-jumping',
    name: 'Sensor jumping by more than 10 °C for 30 minutes',
    measure: 'jump',
    comparator: 'gt',
    threshold: 10,
    severity: 'warning',
  }),
  consecutive(EVERYWHERE, 30 * MINUTE_MS, {
    id: 'warming-fast',
    name: 'Warming by more than 10 °C an hour for 30 minutes',
    measure: 'ratePerHour',
    comparator: 'gt',
    threshold: 10,
    severity: 'warning',
  }),
]

/** The rules that ship, by profile. What no source was read for is marked (unverified) where it stands: a programme makes a profile of its own from it. */
export const SHIPPED_RULES: readonly Rule[] = [
  ...WHO_30DTR,
  ...COLD_ROOM,
  ...FREEZER,
  ...ULTRA_COLD,
  ...CONTROLLED_ROOM,
  ...SHIPPING_TYPE_1,
  ...SHIPPING_TYPE_2,
  ...US_VFC,
  ...MSUPPLY,
  ...EQUIPMENT,
]

/** The rules of one shipped profile. */
export function shippedRules(profile: string): Rule[] {
  return SHIPPED_RULES.filter((rule) => rule.profile === profile)
}
