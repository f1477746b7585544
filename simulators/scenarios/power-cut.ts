import { ICE_LINED } from '../refrigerator.ts'
import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-03-10T00:00:00+07:00'
const hour = hoursFrom(start)

export const powerCut: Scenario = {
  name: 'power-cut',
  description:
    'The mains fail for 14 hours. The domestic refrigerator warms past +8; the ice-lined one beside it holds.',
  start,
  hours: 3 * 24,
  devices: [
    {
      name: 'domestic',
      refrigerator: { seed: 21, episodes: [{ kind: 'power-cut', from: hour(31), to: hour(45) }] },
    },
    {
      name: 'ice-lined',
      refrigerator: {
        seed: 22,
        appliance: ICE_LINED,
        episodes: [{ kind: 'power-cut', from: hour(31), to: hour(45) }],
      },
    },
  ],
}
