/** Lock wait timeout, deadlock, and Galera's `WSREP has not yet prepared node` (also given for a lost certification). */
const MYSQL_CONFLICTS: ReadonlySet<unknown> = new Set([1205, 1213, 1047])

/** Whether the database undid a transaction for the sake of another one, so that the same again may well succeed. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && MYSQL_CONFLICTS.has((error as { readonly errno?: unknown }).errno)
}
