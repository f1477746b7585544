import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-05-19T00:00:00+07:00'
const hour = hoursFrom(start)

export const duplicates: Scenario = {
  name: 'duplicates',
  description:
    'A nervous modem: each message carries the last readings again, comes up to three times, and copies come an hour late.',
  start,
  hours: 2 * 24,
  devices: [
    {
      name: 'nervous',
      refrigerator: { seed: 61, episodes: [{ kind: 'power-cut', from: hour(12), to: hour(26) }] },
      delivery: { kind: 'repeated', overlap: 3 },
    },
    {
      name: 'nervous-and-sound',
      refrigerator: { seed: 62 },
      delivery: { kind: 'repeated', overlap: 3 },
    },
  ],
}
