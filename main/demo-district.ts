import type { FleetMember } from '../simulators/fleet.ts'
import { ICE_LINED, type RefrigeratorOptions } from '../simulators/refrigerator.ts'
import type { PlacePlan, RegisteredDevice } from '../simulators/register.ts'

const timeZone = 'Asia/Jakarta'

function puskesmas(name: string, equipment: readonly string[]): PlacePlan {
  return { name, level: 'facility', timeZone, equipment: equipment.map((item) => ({ name: item })) }
}

/** The refrigerator that nobody simulates: for the reader's own first reading. */
export const SPARE = 'Refrigerator yours'

/** A small district of names that fit Indonesia and that no real place has to answer for. */
export const DISTRICT: PlacePlan = {
  name: 'Tirta Raya',
  level: 'province',
  timeZone,
  places: [
    {
      name: 'Kabupaten Sukamaju',
      level: 'district',
      timeZone,
      places: [
        puskesmas('Puskesmas Melati', ['Refrigerator M1', 'Refrigerator M2', SPARE]),
        puskesmas('Puskesmas Kenanga', ['Refrigerator K1', 'Refrigerator K2']),
        puskesmas('RSUD Sukamaju', ['Refrigerator S1', 'Refrigerator S2']),
      ],
    },
  ],
}

const WITHOUT_POWER = 'Refrigerator K1'
const ICE_LINED_NAMES = ['Refrigerator M2', 'Refrigerator S1', 'Refrigerator S2']

/**
 * The refrigerators of the district as a fleet. One has no power from `startAt` on, in a room of 28 °C or more: Newton's law takes it past
 * +8 in at most 12 h * ln((28 - 4.5) / (28 - 8)) = 1.9 h, so that ten hours above are full well within thirteen.
 */
export function demoFleet(devices: readonly RegisteredDevice[], startAt: number): FleetMember[] {
  return devices.map(({ name, token }, index) => ({
    name,
    token,
    refrigerator: refrigerator(name, index, startAt),
  }))
}

function refrigerator(name: string, index: number, startAt: number): Omit<RefrigeratorOptions, 'startAt'> {
  return {
    seed: index + 1,
    stepMs: 10_000,
    ambient: { meanCelsius: 30, amplitudeKelvin: 2, warmestHour: 14, utcOffsetHours: 7 },
    ...(ICE_LINED_NAMES.includes(name) ? { appliance: ICE_LINED } : {}),
    episodes: name === WITHOUT_POWER ? [{ kind: 'power-cut', from: startAt, to: Infinity }] : [],
  }
}
