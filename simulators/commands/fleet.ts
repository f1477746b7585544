import { openApi } from '../api.ts'
import { runFleet, type FleetProgress } from '../fleet.ts'
import type { Episode } from '../refrigerator.ts'
import { register, type PlacePlan } from '../register.ts'
import { openScreen } from '../screen.ts'
import { stopSignal } from './stop-signal.ts'

export const FAILURES = ['power-cut', 'door-open', 'refrigerant-leak', 'thermostat-stuck-on'] as const
export type Failure = (typeof FAILURES)[number]

export interface ServerFlags {
  readonly http: string
  readonly mqtt: string
  readonly user: string
  readonly password: string
}

export interface FleetFlags extends ServerFlags {
  readonly devices: number
  readonly speed: number
  /** Milliseconds. */
  readonly ago: number
  /** Milliseconds. */
  readonly cadence: number
  /** Milliseconds; undefined: until Ctrl-C. */
  readonly for: number | undefined
  readonly seed: number
  readonly failing: readonly { readonly index: number; readonly kind: Failure }[]
}

/** Registers and runs a fleet; resolves with the exit code. @throws ApiError, DeviceError */
export async function fleetCommand(flags: FleetFlags): Promise<number> {
  const screen = openScreen()
  const signal = stopSignal()
  const api = await openApi({ url: flags.http, username: flags.user, password: flags.password })
  screen.state(`registering ${flags.devices} refrigerators`)
  const devices = await register(api, fleetPlan(flags.devices))
  const startAt = Date.now() - flags.ago
  const end = await runFleet({
    url: flags.mqtt,
    members: devices.map(({ name, token }, index) => ({
      name,
      token,
      refrigerator: { seed: flags.seed + index, episodes: failures(flags, index, startAt) },
    })),
    startAt,
    speed: flags.speed,
    cadenceMs: flags.cadence,
    ...(flags.for === undefined ? {} : { simulatedMs: flags.for }),
    signal,
    onProgress: (progress) => screen.state(describe(progress, flags)),
  })
  screen.done()
  return end.pending === 0 && end.refused === 0 ? 0 : 1
}

const FACILITY_SIZE = 20

function fleetPlan(devices: number): PlacePlan {
  const timeZone = 'Asia/Jakarta'
  const facilities = Array.from({ length: Math.ceil(devices / FACILITY_SIZE) }, (_, facility) => ({
    name: `Simulated clinic ${facility + 1}`,
    level: 'facility' as const,
    timeZone,
    equipment: Array.from(
      { length: Math.min(FACILITY_SIZE, devices - facility * FACILITY_SIZE) },
      (__, n) => ({
        name: `Refrigerator ${facility * FACILITY_SIZE + n + 1}`,
      }),
    ),
  }))
  return simulationPlan('Fleet', facilities)
}

/** Everything simulated stands under one country of that name, away from what is real. */
export function simulationPlan(district: string, places: readonly PlacePlan[]): PlacePlan {
  const timeZone = 'Asia/Jakarta'
  const inDistrict: PlacePlan = { name: district, level: 'district', timeZone, places }
  const inProvince: PlacePlan = { name: 'Simulation', level: 'province', timeZone, places: [inDistrict] }
  return { name: 'Simulation', level: 'country', timeZone, places: [inProvince] }
}

function failures({ failing }: FleetFlags, index: number, from: number): Episode[] {
  return failing.filter((chosen) => chosen.index === index).map(({ kind }) => failure(kind, from))
}

function failure(kind: Failure, from: number): Episode {
  const to = Infinity
  switch (kind) {
    case 'door-open':
      return { kind, from, to, share: 0.6 }
    case 'refrigerant-leak':
      return { kind, from, to, halfLifeHours: 24 }
    case 'power-cut':
    case 'thermostat-stuck-on':
      return { kind, from, to }
  }
}

function describe(progress: FleetProgress, flags: FleetFlags): string {
  const time = new Date(progress.simulatedTime).toISOString().slice(0, 19)
  const pace = progress.live ? 'live' : `x${flags.speed}`
  const refused = progress.refused ? `, ${progress.refused} refused` : ''
  return `${time}Z ${pace}  connected ${progress.connected}/${flags.devices}${refused}  sent ${progress.sent}  acknowledged ${progress.acknowledged}  waiting ${progress.pending}`
}
