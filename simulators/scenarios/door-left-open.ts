import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-03-03T00:00:00+07:00'
const hour = hoursFrom(start)

export const doorLeftOpen: Scenario = {
  name: 'door-left-open',
  description:
    'One door stays ajar from the end of a session until the next morning; another only for an hour.',
  start,
  hours: 3 * 24,
  devices: [
    {
      name: 'all-night',
      refrigerator: {
        seed: 11,
        episodes: [{ kind: 'door-open', from: hour(38.5), to: hour(55.25), share: 0.6 }],
      },
    },
    {
      name: 'one-hour',
      refrigerator: { seed: 12, episodes: [{ kind: 'door-open', from: hour(33), to: hour(34), share: 1 }] },
    },
  ],
}
