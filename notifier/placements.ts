import { findPlacement, type Placement } from '../db/queries/placement.ts'
import type { Db } from '../db/schema.ts'

export interface Placements {
  of(deviceId: string): Promise<Placement>
  forget(deviceId: string): void
  forgetAll(): void
}

/** Remembers where at most `placementsMax` devices stand, until told that it changed. */
export function createPlacements(db: Db, placementsMax: number): Placements {
  const known = new Map<string, Promise<Placement>>()
  return {
    of(deviceId) {
      const found = known.get(deviceId)
      if (found) return found
      const oldest = known.size >= placementsMax ? known.keys().next().value : undefined
      if (oldest !== undefined) known.delete(oldest)
      const asked = findPlacement(db, deviceId)
      known.set(deviceId, asked)
      asked.catch(() => {
        if (known.get(deviceId) === asked) known.delete(deviceId)
      })
      return asked
    },
    forget: (deviceId) => void known.delete(deviceId),
    forgetAll: () => known.clear(),
  }
}
