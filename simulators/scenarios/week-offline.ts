import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-05-05T00:00:00+07:00'
const hour = hoursFrom(start)

export const weekOffline: Scenario = {
  name: 'week-offline',
  description:
    'No network for a week, then the backlog: oldest first, 100 readings to a message. The power cut in it is found late.',
  start,
  hours: 9 * 24,
  devices: [
    {
      name: 'unheard',
      refrigerator: { seed: 51, episodes: [{ kind: 'power-cut', from: hour(80), to: hour(95) }] },
      delivery: { kind: 'offline', from: hour(12), to: hour(12 + 7 * 24), readingsMax: 100 },
    },
    {
      // The network comes back in the middle of the cut, so the breach is open when the backlog arrives.
      name: 'unheard-and-warm',
      refrigerator: { seed: 52, episodes: [{ kind: 'power-cut', from: hour(165), to: hour(195) }] },
      delivery: { kind: 'offline', from: hour(12), to: hour(12 + 7 * 24), readingsMax: 100 },
    },
    { name: 'online', refrigerator: { seed: 53 } },
  ],
}
