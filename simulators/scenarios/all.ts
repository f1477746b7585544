import type { Scenario } from '../scenario.ts'
import { clockDrift } from './clock-drift.ts'
import { doorLeftOpen } from './door-left-open.ts'
import { duplicates } from './duplicates.ts'
import { flapping } from './flapping.ts'
import { freezingNight } from './freezing-night.ts'
import { normalWeek } from './normal-week.ts'
import { powerCut } from './power-cut.ts'
import { slowLeak } from './slow-leak.ts'
import { weekOffline } from './week-offline.ts'

/** Every scenario there is. The breaches that each must give are in `expected/<name>.json`. */
export const SCENARIOS: readonly Scenario[] = [
  normalWeek,
  doorLeftOpen,
  powerCut,
  slowLeak,
  freezingNight,
  weekOffline,
  duplicates,
  clockDrift,
  flapping,
]
