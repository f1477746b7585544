import { findAuditEntries, findLogEntries, type LogQuery } from '../db/queries/log.ts'
import type { LogEntryTable } from '../db/schema-logs.ts'
import type { AuditTable, Db } from '../db/schema.ts'
import { redact } from '../domain/redact.ts'
import { isNational } from '../domain/permissions.ts'
import { toRfc3339 } from './time.ts'
import type { Caller } from './caller.ts'

export const LOG_LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const
export type LogLevel = keyof typeof LOG_LEVELS

/** One shape for what the parts said and for what people did. */
export interface LogEntry {
  readonly kind: 'application' | 'audit'
  readonly id: string
  readonly at: string
  readonly level: LogLevel
  readonly part: string
  readonly message: string
  readonly requestId: string | null
  readonly deviceId: string | null
  readonly userId: string | null
  readonly traceId: string | null
  readonly data: unknown
}

export interface LogSearch extends Omit<LogQuery, 'levelMin'> {
  readonly kinds: readonly LogEntry['kind'][]
  readonly level: LogLevel | undefined
}

interface LogDeps {
  readonly db: Db
  readonly logs: Db
}

/** What the parts said is the whole system's: for administrators, who have no part of the tree. */
export function maySeeApplication({ role, scope }: Caller): boolean {
  return role === 'administrator' && isNational(scope)
}

/** The newest entries of both kinds that fit and that the caller may see, from the newest on. */
export async function searchLogs(deps: LogDeps, caller: Caller, search: LogSearch): Promise<LogEntry[]> {
  const [application, audit] = await Promise.all([
    search.kinds.includes('application') && maySeeApplication(caller) ? applicationOf(deps.logs, search) : [],
    search.kinds.includes('audit') ? auditOf(deps.db, caller.scope, search) : [],
  ])
  const all = [...application, ...audit].toSorted((one, other) => (one.id > other.id ? -1 : 1))
  return all.slice(0, search.limit)
}

/** All that fits, page by page, so that little is in memory at a time. */
export async function* allLogs(
  deps: LogDeps,
  caller: Caller,
  search: LogSearch,
): AsyncGenerator<LogEntry, void> {
  let { before } = search
  for (;;) {
    const entries = await searchLogs(deps, caller, { ...search, before })
    yield* entries
    if (entries.length < search.limit) return
    before = entries.at(-1)?.id
  }
}

async function applicationOf(logs: Db, { level, ...search }: LogSearch): Promise<LogEntry[]> {
  const rows = await findLogEntries(logs, { ...search, levelMin: level && LOG_LEVELS[level] })
  return rows.map(applicationEntry)
}

// A person's act is no warning, is done through the api, and belongs to no trace.
async function auditOf(db: Db, scope: string, search: LogSearch): Promise<LogEntry[]> {
  const { level = 'info', part = 'api', traceId } = search
  if (LOG_LEVELS[level] > LOG_LEVELS.info || part !== 'api' || traceId !== undefined) return []
  return (await findAuditEntries(db, { ...search, scope })).map(auditEntry)
}

function applicationEntry({ id, at, level, data, ...row }: LogEntryTable): LogEntry {
  const { part, message, requestId, deviceId, userId, traceId } = row
  const names = Object.keys(LOG_LEVELS) as LogLevel[]
  const name = names.findLast((one) => LOG_LEVELS[one] <= level) ?? 'trace'
  const rest = { part, message, requestId, deviceId, userId, traceId }
  return { kind: 'application', id, at: toRfc3339(at), level: name, ...rest, data: parse(data) }
}

function auditEntry({ id, at, action, entity, entityId, ...row }: AuditTable): LogEntry {
  return {
    kind: 'audit',
    id,
    at: toRfc3339(at),
    level: 'info',
    part: 'api',
    message: action,
    requestId: row.requestId,
    deviceId: entity === 'device' ? entityId : null,
    userId: row.userId,
    traceId: null,
    data: { entity, entityId, before: parse(row.before), after: parse(row.after) },
  }
}

/** The audit keeps what was changed, as it was; who searches logs has no need of addresses and numbers of people. */
function parse(json: string | null): unknown {
  return json === null ? null : (JSON.parse(redact(json)) as unknown)
}
