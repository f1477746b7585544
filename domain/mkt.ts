const KELVIN_AT_ZERO_CELSIUS = 273.15
/** kJ/(mol K): with it the USP's 83.144 kJ/mol make 10,000 K. */
const GAS_CONSTANT = 8.3144e-3

/** How a mean kinetic temperature is worked out. */
export interface MktFormula {
  /** Heat of activation, kJ/mol. */
  readonly activationKilojoules: number
  /** Digits after the point that a device shows, the others cut off; undefined: as it comes out. */
  readonly decimals?: number
}

/** United States Pharmacopeia <1079.2>: dH/R = 10,000 K. */
export const USP: MktFormula = { activationKilojoules: 83.144 }
/** What Berlinger loggers print (`MKT Energy: 83.0`): tenths, cut off. */
export const BERLINGER: MktFormula = { activationKilojoules: 83, decimals: 1 }

/** Heat of activation over the gas constant, in kelvin, of the USP. */
export const mktKelvin = Math.round(USP.activationKilojoules / GAS_CONSTANT)

/** A mean kinetic temperature as it is being summed up. Changed in place, since a year of readings goes through it. */
export interface Mkt {
  readonly kelvin: number
  /** Milliseconds taken in. */
  weight: number
  /** The sum of weight * exp(-dH/RT) is `scaled * exp(exponent)`: the factors themselves would leave the range of a double in the cold. */
  exponent: number
  scaled: number
}

export function createMkt({ activationKilojoules }: MktFormula = USP): Mkt {
  return { kelvin: activationKilojoules / GAS_CONSTANT, weight: 0, exponent: -Infinity, scaled: 0 }
}

/** Takes in that it was so warm for so long. */
export function addToMkt(mkt: Mkt, celsius: number, weight: number): void {
  if (weight <= 0) return
  const exponent = -mkt.kelvin / (celsius + KELVIN_AT_ZERO_CELSIUS)
  if (exponent > mkt.exponent) {
    mkt.scaled = mkt.scaled * Math.exp(mkt.exponent - exponent) + weight
    mkt.exponent = exponent
  } else mkt.scaled += weight * Math.exp(exponent - mkt.exponent)
  mkt.weight += weight
}

/** The temperature that, all the time, would have done as much harm as those that were; null of no time at all. Celsius. */
export function mktCelsius(mkt: Mkt): number | null {
  if (mkt.weight === 0) return null
  return mkt.kelvin / (Math.log(mkt.weight) - Math.log(mkt.scaled) - mkt.exponent) - KELVIN_AT_ZERO_CELSIUS
}

/**
 * The mean kinetic temperature of temperatures that each lasted for some time (any unit); null of no time at all. Celsius.
 */
export function meanKineticTemperature(
  parts: Iterable<{ readonly celsius: number; readonly weight: number }>,
  formula: MktFormula = USP,
): number | null {
  const mkt = createMkt(formula)
  for (const { celsius, weight } of parts) addToMkt(mkt, celsius, weight)
  const mean = mktCelsius(mkt)
  if (mean === null || formula.decimals === undefined) return mean
  // What is 4.7 but for the last digit of a double must not be cut to 4.6.
  const scale = 10 ** formula.decimals
  return Math.trunc(Number((mean * scale).toFixed(6))) / scale
}
