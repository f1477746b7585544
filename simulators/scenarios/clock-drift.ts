import { hoursFrom, type Scenario } from '../scenario.ts'

const start = '2025-06-02T00:00:00+07:00'
const hour = hoursFrom(start)
const night = { kind: 'power-cut', from: hour(28), to: hour(44) } as const

/**
 * The server can only judge by the times that it is told. A clock that is minutes off shifts the breach by minutes and is taken;
 * a time before 2020 or years ahead is refused whatever the server's own date, and what remains is judged with the gap.
 */
export const clockDrift: Scenario = {
  name: 'clock-drift',
  description:
    'The same power cut seen by clocks that lose, gain, forget the date, and jump by a week number rollover.',
  start,
  hours: 3 * 24,
  devices: [
    {
      name: 'slow',
      refrigerator: { seed: 71, episodes: [night] },
      clock: [{ kind: 'drift', secondsPerHour: -60 }],
    },
    {
      // Less than seven minutes ahead at the end: inside of what the server allows.
      name: 'fast',
      refrigerator: { seed: 72, episodes: [night] },
      clock: [{ kind: 'drift', secondsPerHour: 5 }],
    },
    {
      // Three hours without a believable time in the middle of the violation: the clock of the rule starts anew after it.
      name: 'forgetful',
      refrigerator: { seed: 73, episodes: [{ ...night, to: hour(48) }] },
      clock: [{ kind: 'jump', from: hour(33), to: hour(36), shows: Date.UTC(2000, 0, 1) }],
    },
    {
      // 1024 weeks ahead: the week number of a satellite clock rolled over the wrong way.
      name: 'rollover',
      refrigerator: { seed: 74 },
      clock: [{ kind: 'jump', from: hour(20), to: hour(26), shows: hour(20) + 1024 * 7 * 24 * 3_600_000 }],
    },
  ],
}
