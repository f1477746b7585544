/**
 * What a sensor said at one moment. The id of a reading is (device, sensor, time): the same id twice is the same reading.
 * Two different values under one id are a contradiction that no arrival order may decide, so the greater value counts, everywhere.
 */
export interface Reading {
  readonly deviceId: string
  /** The channel of the device; `main` unless the device has several. At most 64 characters. */
  readonly sensor: string
  /** Event time: epoch milliseconds, UTC. */
  readonly time: number
  readonly values: Values
}

export type Values = { readonly [Q in Quantity]?: number }

/** A sensor within the whole system. */
export interface SensorKey {
  readonly deviceId: string
  readonly sensor: string
}

export const MAIN_SENSOR = 'main'

interface QuantityFacts {
  readonly unit: string
  /** Values outside are implausible: refused, never stored. */
  readonly min: number
  readonly max: number
  /** Other names that devices use for it (WHO EMS, SMILE loggers). */
  readonly aliases: readonly string[]
}

/**
 * Every quantity a reading can carry, with its unit and the range in which a value is plausible.
 * Names and aliases: native telemetry table of the field guide; WHO EMS record keys (TVC, TAMB, ...).
 * `value` holds what an unknown numeric key said; that key is then a sensor of its own.
 */
export const QUANTITIES = {
  temperature: { unit: 'Cel', min: -100, max: 100, aliases: ['temp', 't', 'TVC'] },
  ambientTemperature: { unit: 'Cel', min: -60, max: 80, aliases: ['TAMB'] },
  freezerTemperature: { unit: 'Cel', min: -100, max: 100, aliases: ['TFRZ'] },
  humidity: { unit: '%', min: 0, max: 100, aliases: ['HAMB'] },
  doorOpen: { unit: '1', min: 0, max: 1, aliases: [] },
  doorOpenSeconds: { unit: 's', min: 0, max: 86_400, aliases: ['DORV'] },
  powerOn: { unit: '1', min: 0, max: 1, aliases: [] },
  powerGoodSeconds: { unit: 's', min: 0, max: 86_400, aliases: ['SVA'] },
  compressorSeconds: { unit: 's', min: 0, max: 86_400, aliases: ['CMPR'] },
  battery: { unit: '%', min: 0, max: 100, aliases: ['battery_capacity'] },
  batteryVoltage: { unit: 'V', min: 0, max: 60, aliases: ['battery_voltage'] },
  batteryDays: { unit: 'd', min: 0, max: 36_500, aliases: ['BEMD'] },
  holdover: { unit: 'd', min: 0, max: 365, aliases: ['HOLD'] },
  latitude: { unit: 'deg', min: -90, max: 90, aliases: [] },
  longitude: { unit: 'deg', min: -180, max: 180, aliases: [] },
  rssi: { unit: 'dBm', min: -200, max: 50, aliases: [] },
  snr: { unit: 'dB', min: -100, max: 100, aliases: [] },
  value: { unit: '1', min: -Number.MAX_VALUE, max: Number.MAX_VALUE, aliases: [] },
} as const satisfies Record<string, QuantityFacts>

export type Quantity = keyof typeof QUANTITIES

export const QUANTITY_NAMES = Object.keys(QUANTITIES) as Quantity[]

/** One value where two were given for the same sensor, quantity and time. Commutative, so arrival order cannot matter. */
export function greater(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return a >= b ? a : b
}
