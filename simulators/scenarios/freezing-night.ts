import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-04-21T00:00:00+07:00'
const hour = hoursFrom(start)

export const freezingNight: Scenario = {
  name: 'freezing-night',
  description:
    'A thermostat sticks from evening to morning and the chamber freezes. Freezing destroys; the heat rule stays silent.',
  start,
  hours: 2 * 24,
  devices: [
    {
      name: 'stuck',
      refrigerator: {
        seed: 41,
        episodes: [{ kind: 'thermostat-stuck-on', from: hour(20), to: hour(31) }],
      },
    },
  ],
}
