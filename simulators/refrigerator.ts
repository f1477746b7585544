import type { Values } from '../domain/reading.ts'
import { bell, uniform } from './random.ts'

/** What kind of machine it is. Rates are of the chamber's lumped temperature (air, walls and load as one mass). */
export interface Appliance {
  /** Time constant of the leak through the walls: dT/dt = (ambient - T) / tau (Newton's law of cooling). */
  readonly tauHours: number
  /** How fast the compressor cools at the setpoint, leak not counted. */
  readonly coolingKelvinPerHour: number
  /** The evaporator: cooling falls off linearly to nothing there, so a compressor that never stops freezes, but not without end. */
  readonly evaporatorCelsius: number
  readonly setpointCelsius: number
  /** The thermostat starts above setpoint + hysteresis and stops below setpoint - hysteresis. */
  readonly hysteresisKelvin: number
  /** Time constant of the air exchange while the door stands open. */
  readonly doorTauHours: number
}

/**
 * A domestic-type refrigerator, as many small facilities have: past +8 within two hours of a power cut at 30 °C.
 * An assumption: no standard gives its time constant. 5 K/h makes a duty cycle of about 40 % at 30 °C.
 */
export const DOMESTIC: Appliance = {
  tauHours: 12,
  coolingKelvinPerHour: 5,
  evaporatorCelsius: -20,
  setpointCelsius: 4.5,
  hysteresisKelvin: 1,
  doorTauHours: 1.5,
}

/**
 * An ice-lined refrigerator. WHO PQS asks for a holdover of at least 20 h at +43 °C (unverified there; until +10 °C), and Newton's
 * law then gives tau = 20 h / ln((43 - 5) / (43 - 10)) = 142 h. The plateau of the melting ice is not modelled: the curve is smoother.
 */
export const ICE_LINED: Appliance = {
  tauHours: 142,
  coolingKelvinPerHour: 0.45,
  evaporatorCelsius: -10,
  setpointCelsius: 4.5,
  hysteresisKelvin: 0.5,
  doorTauHours: 10,
}

/** Temperature around the refrigerator: a sine with its top at `warmestHour` local time. */
export interface Ambient {
  readonly meanCelsius: number
  readonly amplitudeKelvin: number
  readonly warmestHour: number
  /** Local time minus UTC. */
  readonly utcOffsetHours: number
}

/** A lowland room without air conditioning in western Indonesia. */
export const LOWLAND: Ambient = { meanCelsius: 28, amplitudeKelvin: 3, warmestHour: 14, utcOffsetHours: 7 }

/** Something that goes on for a while, in true time: epoch milliseconds, `to` exclusive. */
export type Episode = { readonly from: number; readonly to: number } & (
  | { readonly kind: 'power-cut' }
  /** The share of a full opening: a door ajar lets in less. */
  | { readonly kind: 'door-open'; readonly share: number }
  /** Refrigerant escapes: cooling power halves every `halfLifeHours`, and stays low after `to`. */
  | { readonly kind: 'refrigerant-leak'; readonly halfLifeHours: number }
  | { readonly kind: 'thermostat-stuck-on' }
  /** A warm delivery: as much heat as raises the whole load by `kelvin`, given off evenly. */
  | { readonly kind: 'warm-load'; readonly kelvin: number }
)

export interface RefrigeratorOptions {
  readonly seed: number
  /** Epoch milliseconds, UTC. */
  readonly startAt: number
  readonly appliance?: Appliance
  readonly ambient?: Ambient
  readonly episodes?: readonly Episode[]
  /** Openings per hour between 8 and 14 local time, each of at most a minute. */
  readonly doorOpeningsPerHour?: number
  readonly noiseKelvin?: number
  /** Where the chamber starts; the setpoint unless given. */
  readonly celsius?: number
  readonly stepMs?: number
}

/** A refrigerator at one moment. Never changed: `advance` gives the next one. */
export interface Refrigerator {
  readonly options: Required<RefrigeratorOptions>
  readonly time: number
  /** The true temperature of the chamber, without the noise of the sensor. */
  readonly celsius: number
  readonly compressorOn: boolean
  /** Sums since the last reading. */
  readonly doorOpenSeconds: number
  readonly powerGoodSeconds: number
  readonly compressorSeconds: number
}

const HOUR_MS = 3_600_000
const STREAM = { door: 0, temperature: 1, ambient: 2, battery: 3 } as const
/** A logger's battery lasts a year (WHO PQS E006/TR05: at least one). */
const BATTERY_LIFE_HOURS = 8766

export function createRefrigerator(options: RefrigeratorOptions): Refrigerator {
  const appliance = options.appliance ?? DOMESTIC
  const stepMs = options.stepMs ?? 60_000
  if (!(stepMs > 0)) throw new Error('stepMs must be positive')
  return {
    options: {
      ambient: LOWLAND,
      episodes: [],
      doorOpeningsPerHour: 2,
      noiseKelvin: 0.05,
      celsius: appliance.setpointCelsius,
      ...options,
      appliance,
      stepMs,
    },
    time: options.startAt,
    celsius: options.celsius ?? appliance.setpointCelsius,
    compressorOn: uniform(options.seed, STREAM.battery, 1) < 0.5,
    doorOpenSeconds: 0,
    powerGoodSeconds: 0,
    compressorSeconds: 0,
  }
}

/** The refrigerator at `toTime` or up to one step before it: only whole steps are taken, so how often one asks changes nothing. */
export function advance(refrigerator: Refrigerator, toTime: number): Refrigerator {
  const next = { ...refrigerator }
  const { stepMs } = refrigerator.options
  for (; next.time + stepMs <= toTime; next.time += stepMs) step(next, stepMs)
  return next
}

/** Advances to `toTime` and reads the logger there: values as a device sends them, and the refrigerator with its sums at zero. */
export function observe(refrigerator: Refrigerator, toTime: number): { values: Values; next: Refrigerator } {
  const now = advance(refrigerator, toTime)
  const { seed, noiseKelvin, ambient, startAt } = now.options
  const noise = (stream: number) => noiseKelvin * bell(seed, stream, toTime)
  const values = {
    temperature: tenths(now.celsius + noise(STREAM.temperature)),
    ambientTemperature: tenths(ambientCelsius(ambient, toTime) + noise(STREAM.ambient)),
    doorOpenSeconds: Math.round(now.doorOpenSeconds),
    powerGoodSeconds: Math.round(now.powerGoodSeconds),
    compressorSeconds: Math.round(now.compressorSeconds),
    battery: tenths(
      Math.max(0, batteryAtStart(seed) - ((toTime - startAt) / HOUR_MS / BATTERY_LIFE_HOURS) * 100),
    ),
  }
  return { values, next: { ...now, doorOpenSeconds: 0, powerGoodSeconds: 0, compressorSeconds: 0 } }
}

/** Temperature of the room at a moment. */
export function ambientCelsius(ambient: Ambient, time: number): number {
  const phase = (localHour(ambient, time) - ambient.warmestHour) / 24
  return ambient.meanCelsius + ambient.amplitudeKelvin * Math.cos(2 * Math.PI * phase)
}

/** The temperature as a logger with a resolution of 0.1 K shows it (WHO PQS E006/TR05). */
function tenths(value: number): number {
  // Adding zero turns -0 into 0, which JSON could not tell apart.
  return Math.round(value * 10) / 10 + 0
}

const batteryAtStart = (seed: number) => 60 + 40 * uniform(seed, STREAM.battery, 0)

function localHour(ambient: Ambient, time: number): number {
  return (((time / HOUR_MS + ambient.utcOffsetHours) % 24) + 24) % 24
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * One step. Within it all is constant, so the equation dT/dt = gain - T * loss has the exact solution
 * T(t) = gain/loss + (T(0) - gain/loss) exp(-loss t), and the size of the step costs no accuracy.
 */
function step(state: Mutable<Refrigerator>, stepMs: number): void {
  const { appliance, ambient } = state.options
  const now = conditions(state, stepMs)
  const outside = ambientCelsius(ambient, state.time + stepMs / 2)
  state.compressorOn = now.power && (now.stuck || thermostat(state, appliance))

  const leakPerHour = 1 / appliance.tauHours + now.doorShare / appliance.doorTauHours
  const coolingPerHour = state.compressorOn
    ? (now.coolingShare * appliance.coolingKelvinPerHour) /
      (appliance.setpointCelsius - appliance.evaporatorCelsius)
    : 0
  const gain = leakPerHour * outside + coolingPerHour * appliance.evaporatorCelsius + now.heatKelvinPerHour
  const loss = leakPerHour + coolingPerHour
  const limit = gain / loss
  state.celsius = limit + (state.celsius - limit) * Math.exp((-loss * stepMs) / HOUR_MS)

  const seconds = stepMs / 1000
  state.doorOpenSeconds += now.doorSeconds
  state.powerGoodSeconds += now.power ? seconds : 0
  state.compressorSeconds += state.compressorOn ? seconds : 0
}

function thermostat(state: Refrigerator, appliance: Appliance): boolean {
  if (state.celsius > appliance.setpointCelsius + appliance.hysteresisKelvin) return true
  if (state.celsius < appliance.setpointCelsius - appliance.hysteresisKelvin) return false
  return state.compressorOn
}

interface Conditions {
  power: boolean
  stuck: boolean
  coolingShare: number
  doorShare: number
  doorSeconds: number
  heatKelvinPerHour: number
}

function conditions(state: Refrigerator, stepMs: number): Conditions {
  const doorSeconds = routineDoorSeconds(state, stepMs)
  const now: Conditions = {
    power: true,
    stuck: false,
    coolingShare: 1,
    doorShare: (doorSeconds * 1000) / stepMs,
    doorSeconds,
    heatKelvinPerHour: 0,
  }
  for (const episode of state.options.episodes) apply(episode, now, state.time, stepMs)
  return now
}

function apply(episode: Episode, now: Conditions, time: number, stepMs: number): void {
  if (time < episode.from) return
  if (episode.kind === 'refrigerant-leak') {
    const hours = (Math.min(time, episode.to) - episode.from) / HOUR_MS
    now.coolingShare *= 0.5 ** (hours / episode.halfLifeHours)
    return
  }
  if (time >= episode.to) return
  switch (episode.kind) {
    case 'power-cut':
      now.power = false
      return
    case 'door-open':
      now.doorShare = Math.max(now.doorShare, episode.share)
      now.doorSeconds = stepMs / 1000
      return
    case 'thermostat-stuck-on':
      now.stuck = true
      return
    case 'warm-load':
      now.heatKelvinPerHour += (episode.kelvin * HOUR_MS) / (episode.to - episode.from)
  }
}

/** Vaccination sessions: whether the door is opened in this step, and for how long, follows from the seed and the time alone. */
function routineDoorSeconds(state: Refrigerator, stepMs: number): number {
  const { ambient, doorOpeningsPerHour, seed } = state.options
  const hour = localHour(ambient, state.time)
  if (hour < 8 || hour >= 14) return 0
  const chance = (doorOpeningsPerHour * stepMs) / HOUR_MS
  if (uniform(seed, STREAM.door, state.time) >= chance) return 0
  const seconds = 10 + 30 * uniform(seed, STREAM.door, state.time + 1)
  return Math.min(seconds, stepMs / 1000)
}
