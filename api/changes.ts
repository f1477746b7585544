import { findBreaches } from '../db/queries/breach.ts'
import { hasUnnumberedChanges, lastChangeNumber, listChanges, numberChanges } from '../db/queries/change.ts'
import { findDevicesInScope } from '../db/queries/device.ts'
import { findEquipmentOf } from '../db/queries/equipment.ts'
import { findFacilities, findStoragePoints } from '../db/queries/facility.ts'
import { findStockEvents } from '../db/queries/stock-event.ts'
import type { ChangeTable } from '../db/schema-stock.ts'
import type { Db, DbOrTrx } from '../db/schema.ts'
import { inTransaction } from '../db/transaction.ts'
import { CodedError } from '../domain/errors.ts'
import { breachView } from './breach-view.ts'
import type { Caller } from './caller.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { deviceView } from './device-view.ts'
import { equipmentView } from './routes/equipment.ts'
import { facilityView } from './facility.ts'
import { STORAGE_POINTS } from './kinds/storage-point.ts'
import { ITEMS } from './kinds/item.ts'
import { LOTS } from './kinds/lot.ts'
import { MANUFACTURERS } from './kinds/manufacturer.ts'
import { TRADE_ITEMS } from './kinds/trade-item.ts'
import { findReferences, type ReferenceTable } from '../db/queries/reference.ts'
import { referenceView, type Reference } from './reference.ts'
import { eventView } from './stock-event-schemas.ts'
import { toRfc3339 } from './time.ts'

/** Batches that one request numbers; what is left waits for the next one. */
const BATCHES_MAX = 10

/** What there is to see of things of one kind under a path, by id. What is not there was taken away, or moved out of sight. */
type Show = (db: DbOrTrx, ids: readonly string[], scope: string) => Promise<ReadonlyMap<string, object>>

/** Changes of other kinds carry no data: their clients ask for them by id. */
const SHOW: Readonly<Record<string, Show>> = {
  facility: async (db, ids, scope) => byId(await findFacilities(db, ids, scope), facilityView),
  storagePoint: async (db, ids, scope) =>
    byId(await findStoragePoints(db, ids, scope), (row) => referenceView(STORAGE_POINTS, row)),
  equipment: async (db, ids, scope) => byId(await findEquipmentOf(db, ids, scope), equipmentView),
  device: async (db, ids, scope) => byId(await findDevicesInScope(db, ids, scope), deviceView),
  breach: async (db, ids, scope) => byId(await findBreaches(db, ids, scope), breachView),
  manufacturer: national(MANUFACTURERS),
  item: national(ITEMS),
  tradeItem: national(TRADE_ITEMS),
  lot: national(LOTS),
  stockEvent: async (db, ids, scope) => byId(await findStockEvents(db, ids, scope), eventView),
}

/** Of the programme: everybody sees it. */
function national<T extends ReferenceTable, B extends object>(of: Reference<T, B>): Show {
  return async (db, ids) => {
    const rows = await findReferences(db, of.table, ids)
    return new Map([...rows].map(([id, row]) => [id, referenceView(of, row)]))
  }
}

function byId<R extends { readonly id: string }>(rows: readonly R[], view: (row: R) => object) {
  return new Map(rows.map((row) => [row.id, view(row)]))
}

export interface Changes {
  readonly items: {
    entity: string
    id: string
    kind: 'put' | 'delete'
    at: string
    data?: object
  }[]
  readonly nextCursor: string
  readonly more: boolean
  readonly reset: boolean
}

/** Gives numbers to changes, one run at a time in this process: who comes while one is under way waits for the next, together with all others. */
export function createNumbering(db: Db): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  async function run(): Promise<void> {
    for (let batches = 0; batches < BATCHES_MAX; batches++) {
      if (!(await hasUnnumberedChanges(db))) return
      if (await inTransaction(db, numberChanges)) return
    }
  }
  function start(): Promise<void> {
    next = undefined
    running = run().finally(() => (running = undefined))
    return running
  }
  return () => {
    if (!running) return start()
    next ??= running.then(start, start)
    return next
  }
}

/** @param since a cursor that this gave, `now` for one without its changes, or undefined for everything from the beginning */
export async function changesSince(
  db: Db,
  caller: Caller,
  { since, limit }: { readonly since: string | undefined; readonly limit: number },
): Promise<Changes> {
  const place = caller.scope === '' ? 'all' : (caller.facilityId ?? 'all')
  // One look at the database: the last number and the changes belong together.
  const { last, asked, rows } = await inTransaction(db, async (trx) => {
    const number = await lastChangeNumber(trx)
    const from = since === 'now' ? { after: number, reset: false } : positionOf(since, place, number)
    const query = { scope: caller.scope, after: from.after, limit: limit + 1 }
    return { last: number, asked: from, rows: since === 'now' ? [] : await listChanges(trx, query) }
  })
  const shown = rows.slice(0, limit)
  const more = rows.length > limit
  const seq = more ? (shown.at(-1)?.seq ?? asked.after) : Math.max(last, shown.at(-1)?.seq ?? 0)
  return {
    items: await itemsOf(db, caller.scope, shown),
    nextCursor: encodeCursor(`${seq}.${place}`),
    more: more || (await hasUnnumberedChanges(db)),
    reset: asked.reset,
  }
}

// Who sees another part of the tree now, or a database that went back to a backup, starts from the beginning.
function positionOf(
  since: string | undefined,
  place: string,
  last: number,
): { readonly after: number; readonly reset: boolean } {
  const text = decodeCursor(since)
  if (text === undefined) return { after: 0, reset: false }
  const match = /^(\d{1,15})\.([0-9a-f-]{36}|all)$/.exec(text)
  if (!match) throw new CodedError('request.invalid', 'since is not a cursor that this list has given.')
  const after = Number(match[1])
  return match[2] === place && after <= last ? { after, reset: false } : { after: 0, reset: true }
}

async function itemsOf(db: DbOrTrx, scope: string, rows: readonly ChangeTable[]): Promise<Changes['items']> {
  const last = [...new Map(rows.map((row) => [`${row.entity} ${row.entityId}`, row])).values()]
  const seen = new Map<string, ReadonlyMap<string, object>>()
  for (const [entity, of] of Map.groupBy(last, (row) => row.entity)) {
    const ids = of.map(({ entityId }) => entityId)
    const show = SHOW[entity]
    if (show) seen.set(entity, await show(db, ids, scope))
  }
  return last.map(({ entity, entityId: id, kind, at }) => {
    const data = seen.get(entity)?.get(id)
    const isGone = seen.has(entity) && data === undefined
    return { entity, id, kind: isGone ? 'delete' : kind, at: toRfc3339(at), ...(data ? { data } : {}) }
  })
}
