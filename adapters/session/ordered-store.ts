import { DatabaseSync } from 'node:sqlite'

interface Range {
  readonly gte: string
  readonly lt: string
}

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string }

interface Chained {
  del(key: string): void
  write(): Promise<void>
}

/** As much of the interface of a Level database as the sessions need: keys in byte order, values as bytes. */
export interface OrderedStore {
  get(key: string): Promise<Buffer | undefined>
  put(key: string, value: Uint8Array): Promise<void>
  del(key: string): Promise<void>
  clear(range: Range): Promise<void>
  batch(operations: readonly Operation[]): Promise<void>
  /** Without operations: one to be filled by `del` and ended by `write`. */
  batch(): Chained
  keys(range: Range, limit: number): string[]
  values(range: Range): AsyncIterable<Buffer>
  close(): Promise<void>
}

const PAGE_ROWS = 100

/**
 * Opens a store in one file, and locks it: a second program that opens the same file fails at once.
 * A write resolves after a commit that survives a power cut; writes of one turn of the event loop share one commit.
 */
export function openOrderedStore(file: string): OrderedStore {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID')
  const selectOne = db.prepare('SELECT value FROM entry WHERE key = ?')
  const selectKeys = db.prepare('SELECT key FROM entry WHERE key >= ? AND key < ? ORDER BY key LIMIT ?')
  const upsert = db.prepare(
    'INSERT INTO entry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  const deleteOne = db.prepare('DELETE FROM entry WHERE key = ?')
  const deleteRange = db.prepare('DELETE FROM entry WHERE key >= ? AND key < ?')
  const commits = groupCommits(db)

  const read = (key: string): Buffer | undefined => asBuffer(selectOne.get(key)?.['value'])
  const keys = ({ gte, lt }: Range, limit: number): string[] =>
    selectKeys.all(gte, lt, limit).map((row) => String(row['key']))

  // Pages, because whoever reads a range changes it while reading.
  async function* values({ gte, lt }: Range): AsyncGenerator<Buffer> {
    let from = gte
    for (;;) {
      const page = keys({ gte: from, lt }, PAGE_ROWS)
      for (const key of page) {
        const value = read(key)
        if (value) yield value
      }
      const last = page[PAGE_ROWS - 1]
      if (last === undefined) return
      from = `${last}\0`
    }
  }

  const apply = (operations: readonly Operation[]): Promise<void> =>
    commits.write(() => {
      for (const operation of operations) {
        if (operation.type === 'put') upsert.run(operation.key, operation.value)
        else deleteOne.run(operation.key)
      }
    })

  function batch(operations: readonly Operation[]): Promise<void>
  function batch(): Chained
  function batch(operations?: readonly Operation[]): Promise<void> | Chained {
    if (operations) return apply(operations)
    const chained: Operation[] = []
    return { del: (key: string) => void chained.push({ type: 'del', key }), write: () => apply(chained) }
  }

  return {
    get: async (key) => read(key),
    put: (key, value) => apply([{ type: 'put', key, value }]),
    del: (key) => apply([{ type: 'del', key }]),
    clear: ({ gte, lt }) => commits.write(() => deleteRange.run(gte, lt)),
    batch,
    keys,
    values,
    close: async () => {
      await commits.flush()
      db.close()
    },
  }
}

function asBuffer(value: unknown): Buffer | undefined {
  if (!(value instanceof Uint8Array)) return undefined
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

interface Commits {
  /** Runs the change inside the open transaction, where reads see it at once; resolves when that is committed. */
  write(change: () => void): Promise<void>
  flush(): Promise<void>
}

function groupCommits(db: DatabaseSync): Commits {
  let open: PromiseWithResolvers<void> | undefined

  const commit = (): void => {
    const group = open
    if (!group) return
    open = undefined
    try {
      db.exec('COMMIT')
      group.resolve()
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      group.reject(error)
    }
  }

  const write = async (change: () => void): Promise<void> => {
    if (!open) {
      db.exec('BEGIN IMMEDIATE')
      open = Promise.withResolvers()
      // Whoever wrote is told by its own await; a group of which every change failed has nobody waiting.
      open.promise.catch(() => {})
      setImmediate(commit)
    }
    const { promise } = open
    change()
    return promise
  }

  const flush = async (): Promise<void> => {
    const pending = open?.promise
    commit()
    await pending
  }
  return { write, flush }
}
