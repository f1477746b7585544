import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-04-07T00:00:00+07:00'
const hour = hoursFrom(start)

export const slowLeak: Scenario = {
  name: 'slow-leak',
  description:
    'Refrigerant escapes for days: the compressor runs longer and longer until it can not hold the heat of the day; open at the end.',
  start,
  hours: 10 * 24,
  devices: [
    {
      name: 'leaking',
      refrigerator: {
        seed: 31,
        episodes: [{ kind: 'refrigerant-leak', from: hour(24), to: hour(10 * 24), halfLifeHours: 96 }],
      },
    },
    { name: 'sound', refrigerator: { seed: 32 } },
  ],
}
