import type { ErrorCode } from './errors.ts'
import { QUANTITIES, type Quantity } from './reading.ts'

// What faulty sensors say instead of a temperature: DS18B20 gives 85.0 at power-on and -127 when unplugged,
// LHT65 gives 327.67 when its probe is disconnected.
const FAULT_TEMPERATURES: readonly number[] = [85, -127, 327.67]

/** Why `value` cannot be what the quantity was; undefined when it can. Not a number is implausible of everything. */
export function implausibility(quantity: Quantity, value: number): ErrorCode | undefined {
  if (!Number.isFinite(value)) return 'reading.notANumber'
  const facts = QUANTITIES[quantity]
  if (facts.unit === 'Cel' && FAULT_TEMPERATURES.includes(value)) return 'reading.sensorFault'
  if (value < facts.min || value > facts.max) return 'reading.implausible'
  return undefined
}

// As seconds this is the year 5138, as milliseconds March 1973: no clock that was ever set is on the wrong side of it.
const SECONDS_BELOW = 1e11

/** 2020-01-01T00:00:00Z: a device that says an earlier time never had its clock set. */
export const TIME_MIN = 1_577_836_800_000

/**
 * The event time that a device gave, as whole epoch milliseconds, or why it cannot be true. Numbers below 1e11 are seconds, others
 * milliseconds; both may have a fraction. A refused time is never replaced by another one.
 * @param receivedAt epoch milliseconds when the message came
 * @param futureMsMax how far ahead of `receivedAt` a device's clock may be
 */
export function eventTime(ts: unknown, receivedAt: number, futureMsMax: number): number | ErrorCode {
  if (typeof ts !== 'number' || !Number.isFinite(ts)) return 'reading.timeInvalid'
  const time = Math.round(Math.abs(ts) < SECONDS_BELOW ? ts * 1000 : ts)
  if (time < TIME_MIN) return 'reading.timeTooOld'
  if (time > receivedAt + futureMsMax) return 'reading.timeInFuture'
  return time
}
