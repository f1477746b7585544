import { setTimeout as sleep } from 'node:timers/promises'

/** Lock wait timeout (also a causal read on Galera that took too long), deadlock (on Galera also a certification lost). */
const MYSQL_CONFLICTS: ReadonlySet<unknown> = new Set([1205, 1213])

/** How often the same is tried before a conflict is given to the caller. */
export const CONFLICT_TRIES_MAX = 8
const DELAY_MS = 5
const DELAY_MS_MAX = 500

/** Whether the database undid a transaction for the sake of another one, so that the same again may well succeed. */
export function isConflict(error: unknown): error is Error & { readonly errno: number } {
  return error instanceof Error && MYSQL_CONFLICTS.has((error as { readonly errno?: unknown }).errno)
}

/** Waits before the next try: longer each time, and at random, so that those who met do not meet again. */
export async function waitAfterTry(tries: number): Promise<void> {
  await sleep(Math.random() * Math.min(DELAY_MS_MAX, DELAY_MS * 2 ** tries))
}
