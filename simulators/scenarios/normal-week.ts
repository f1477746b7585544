import { ICE_LINED } from '../refrigerator.ts'
import type { Scenario } from '../scenario.ts'

export const normalWeek: Scenario = {
  name: 'normal-week',
  description: 'Seven days in which nothing is wrong: sessions, deliveries, warm afternoons. No breach.',
  start: '2025-03-03T00:00:00+07:00',
  hours: 7 * 24,
  devices: [
    { name: 'domestic', refrigerator: { seed: 1 } },
    { name: 'ice-lined', refrigerator: { seed: 2, appliance: ICE_LINED } },
    { name: 'busy', refrigerator: { seed: 3, doorOpeningsPerHour: 6 } },
  ],
}
