import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { Type, type Static } from 'typebox'
import { inTransaction } from '../../db/transaction.ts'
import type { DbOrTrx } from '../../db/schema.ts'
import { CodedError, ERRORS } from '../../domain/errors.ts'
import type { Caller } from '../caller.ts'
import { CSV_BYTES_MAX, decodeUtf8, formatCsv, parseCsv, type CsvRow } from '../csv.ts'
import type { RouteDeps } from '../deps.ts'
import { FieldError } from '../errors.ts'
import { tellDevicesUnder } from '../facility.ts'
import { chooseLanguage, detailIn, titleOf } from '../language.ts'
import type { Language } from '../../domain/language.ts'
import type { FileKind, FileRow, Permitted, Saved } from '../files/kind.ts'
import { FILES } from '../files/kinds.ts'
import { may } from '../../domain/permissions.ts'
import { closed, nullable, operation } from '../schemas.ts'
import { once } from '../write.ts'

const EXPORT_ROWS = 500

const Kind = Type.Object({ kind: Type.Enum([...FILES.keys()]) }, closed)
const Csv = Type.String({ description: 'CSV in UTF-8 with a header; see docs/files.md.' })

const Report = Type.Object(
  {
    kind: Type.String(),
    dryRun: Type.Boolean(),
    rows: Type.Integer(),
    created: Type.Integer(),
    updated: Type.Integer(),
    unchanged: Type.Integer(),
    failed: Type.Integer(),
    errors: Type.Array(
      Type.Object({
        row: Type.Integer({ description: 'As spreadsheets count: the header is row 1.' }),
        column: nullable(Type.String()),
        code: Type.String(),
        detail: Type.String(),
        cells: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()], {
          description: 'The row as it was read, by column; null when it is not as wide as the header.',
        }),
      }),
    ),
  },
  { title: 'ImportReport' },
)
type Report = Static<typeof Report>

const take = operation(
  {
    operationId: 'importCsv',
    summary: 'Create and change many things by a CSV file',
    description:
      'Each row is saved for itself, or is among the `errors`; the same file again changes nothing. Rows are known by code, GTIN or name.',
    tags: ['files'],
    params: Kind,
    querystring: Type.Object(
      { dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only say what would happen.' })) },
      closed,
    ),
    body: Type.Unsafe<string>({ content: { 'text/csv': { schema: Csv } } }),
    response: { 200: Report },
  },
  ['request.malformed'],
)
const give = operation({
  operationId: 'exportCsv',
  summary: 'All that I may see of a kind, as a CSV file that can be imported again',
  tags: ['files'],
  params: Kind,
  response: {
    200: {
      description: 'A BOM, a header, a row for each.',
      content: { 'text/csv': { schema: Type.Unsafe<NodeJS.ReadableStream>({ type: 'string' }) } },
    },
  },
})

export const fileRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'text/csv',
    { parseAs: 'buffer', bodyLimit: CSV_BYTES_MAX },
    async (_: FastifyRequest, bytes: Buffer) => decodeUtf8(bytes),
  )
  app.post('/imports/:kind', { schema: take, bodyLimit: CSV_BYTES_MAX }, async (request, reply) => {
    const { caller, body, query } = request
    const file = fileOf(request.params.kind)
    const permitted = {
      create: may(caller, file.operations.create),
      change: may(caller, file.operations.change),
    }
    if (!permitted.create && !permitted.change) throw new CodedError('auth.forbidden')
    const known = file.columns.map(({ name }) => name)
    const rows = parseCsv(body, { known, needed: file.needed })
    const work = { file, rows, permitted, language: chooseLanguage(request, reply) }
    const { dryRun = false } = query
    return once(deps, request, reply, { status: 200, outside: true }, () =>
      dryRun ? rehearse(deps, caller, work) : run(deps, caller, work),
    )
  })
  app.get('/exports/:kind', { schema: give }, async ({ params, caller }, reply) => {
    const file = fileOf(params.kind)
    reply.type('text/csv; charset=utf-8')
    reply.header('content-disposition', `attachment; filename="${file.name}.csv"`)
    return Readable.from(linesOf(deps.db, file, caller.scope), { objectMode: false })
  })
}

function fileOf(kind: string): FileKind {
  const file = FILES.get(kind)
  if (!file) throw new CodedError('resource.notFound')
  return file
}

interface Work {
  readonly file: FileKind
  readonly rows: readonly CsvRow[]
  readonly permitted: Permitted
  /** In which the errors are told. */
  readonly language: Language
}

// Row by row, each in a transaction of its own: others get their turn between them, and what is done stays done.
async function run(deps: RouteDeps, caller: Caller, work: Work): Promise<Report> {
  const report = newReport(work, false)
  for (const row of inOrder(work)) {
    const saved = await count(report, work, row, () =>
      inTransaction(deps.db, (trx) => save(deps, trx, caller, work, row)),
    )
    if (saved?.movedTo !== undefined) await tellDevicesUnder(deps, saved.movedTo)
  }
  return sorted(report)
}

class Undo extends Error {}

// Rows may rest on rows before them: all are saved in one transaction, and all are undone.
async function rehearse(deps: RouteDeps, caller: Caller, work: Work): Promise<Report> {
  let report = newReport(work, true)
  try {
    await inTransaction(deps.db, async (trx) => {
      report = newReport(work, true)
      for (const row of inOrder(work))
        await count(report, work, row, () => save(deps, trx, caller, work, row))
      throw new Undo()
    })
  } catch (error) {
    if (!(error instanceof Undo)) throw error
  }
  return sorted(report)
}

function newReport({ file, rows }: Work, dryRun: boolean): Report {
  const counts = { created: 0, updated: 0, unchanged: 0, failed: 0 }
  return { kind: file.name, dryRun, rows: rows.length, ...counts, errors: [] }
}

const sorted = (report: Report): Report => ({
  ...report,
  errors: report.errors.toSorted((a, b) => a.row - b.row),
})

function inOrder({ file, rows }: Work): readonly CsvRow[] {
  const { rank } = file
  if (!rank) return rows
  return rows.toSorted((a, b) => rank(a.cells ?? new Map()) - rank(b.cells ?? new Map()))
}

async function save(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  { file, permitted }: Work,
  { cells }: CsvRow,
): Promise<Saved> {
  if (!cells) throw new CodedError('request.malformed', 'The row is not as wide as the header.')
  const writing = { trx, caller, at: deps.clock.now(), match: () => undefined }
  return file.save(writing, cells, permitted)
}

async function count(
  report: Report,
  { file, language }: Work,
  { row, cells }: CsvRow,
  saving: () => Promise<Saved>,
): Promise<Saved | undefined> {
  try {
    const saved = await saving()
    report[saved.outcome]++
    return saved
  } catch (error) {
    if (!(error instanceof CodedError) || ERRORS[error.code][0] >= 500) throw error
    report.failed++
    const field = error instanceof FieldError ? error.field : undefined
    const column = file.columns.find((one) => field === (one.field ?? one.name))?.name ?? null
    const said = error instanceof FieldError ? error.says : error.detail
    const detail = said === undefined ? titleOf(error.code, language) : detailIn(language, said)
    const read = cells ? Object.fromEntries(cells) : null
    report.errors.push({ row, column, code: error.code, detail, cells: read })
    return undefined
  }
}

async function* linesOf(db: DbOrTrx, file: FileKind, scope: string): AsyncGenerator<string> {
  const names = file.columns.map(({ name }) => name)
  // Spreadsheets take a file without a BOM for one of their own alphabet.
  yield `\uFEFF${formatCsv([names])}`
  let after: string | undefined
  for (;;) {
    const rows = await file.rows(db, scope, after, EXPORT_ROWS)
    if (rows.length > 0) yield formatCsv(rows.map((row) => cellsOf(names, row)))
    if (rows.length < EXPORT_ROWS) return
    after = rows.at(-1)?.cursor
  }
}

const cellsOf = (names: readonly string[], { cells }: FileRow): string[] =>
  names.map((name) => String(cells[name] ?? ''))
