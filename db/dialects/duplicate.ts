const SQLITE_CONSTRAINT_PRIMARYKEY = 1555
const SQLITE_CONSTRAINT_UNIQUE = 2067
const ER_DUP_ENTRY = 1062

/** Whether the database refused a row because one of the same identity is there already. */
export function isDuplicate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { errcode, errno } = error as { readonly errcode?: unknown; readonly errno?: unknown }
  return (
    errcode === SQLITE_CONSTRAINT_PRIMARYKEY || errcode === SQLITE_CONSTRAINT_UNIQUE || errno === ER_DUP_ENTRY
  )
}
