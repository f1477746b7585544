import { findPlacements, UNPLACED, type Placement } from '../db/queries/placement.ts'
import type { Db } from '../db/schema.ts'

export interface Placements {
  of(deviceId: string): Promise<Placement>
  /** Asks for those that are not known, in one go. */
  load(deviceIds: Iterable<string>): void
  forget(deviceId: string): void
  forgetAll(): void
}

/** Remembers where at most `placementsMax` devices stand, until told that it changed. */
export function createPlacements(db: Db, placementsMax: number): Placements {
  const known = new Map<string, Promise<Placement>>()

  function load(deviceIds: Iterable<string>): void {
    const missing = [...new Set(deviceIds)].filter((deviceId) => !known.has(deviceId))
    if (missing.length === 0) return
    const asked = findPlacements(db, missing)
    for (const deviceId of missing)
      keep(
        deviceId,
        asked.then((found) => found.get(deviceId) ?? UNPLACED),
      )
  }

  function keep(deviceId: string, asked: Promise<Placement>): void {
    const oldest = known.size >= placementsMax ? known.keys().next().value : undefined
    if (oldest !== undefined) known.delete(oldest)
    known.set(deviceId, asked)
    asked.catch(() => {
      if (known.get(deviceId) === asked) known.delete(deviceId)
    })
  }

  return {
    of(deviceId) {
      const found = known.get(deviceId)
      if (found) return found
      const asked = findPlacements(db, [deviceId]).then((all) => all.get(deviceId) ?? UNPLACED)
      keep(deviceId, asked)
      return asked
    },
    load,
    forget: (deviceId) => void known.delete(deviceId),
    forgetAll: () => known.clear(),
  }
}
