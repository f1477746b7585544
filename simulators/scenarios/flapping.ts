import { DOMESTIC } from '../refrigerator.ts'
import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-06-16T00:00:00+07:00'
const hour = hoursFrom(start)
const TOO_WARM = { ...DOMESTIC, setpointCelsius: 8, hysteresisKelvin: 0.6 }

export const flapping: Scenario = {
  name: 'flapping',
  description:
    'Thermostats set to +8: above and below the limit all day, never for ten hours. Two power cuts: nine hours above, and eleven.',
  start,
  hours: 3 * 24,
  devices: [
    { name: 'restless', refrigerator: { seed: 81, appliance: TOO_WARM } },
    {
      name: 'nearly',
      refrigerator: {
        seed: 82,
        appliance: TOO_WARM,
        episodes: [{ kind: 'power-cut', from: hour(30), to: hour(37) }],
      },
    },
    {
      name: 'long-enough',
      refrigerator: {
        seed: 83,
        appliance: TOO_WARM,
        episodes: [{ kind: 'power-cut', from: hour(30), to: hour(39) }],
      },
    },
  ],
}
