import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { csvLine, type Cell } from '../../domain/csv.ts'
import type { Report, ReportQuery } from './report.ts'

type Rows = AsyncIterable<Readonly<Record<string, Cell>>>

/** What may wait for a client that reads slowly; rows are made when there is room. */
const WAITING_BYTES_MAX = 65_536
/** Rows are sent in pieces of about this size: one system call for each row would cost more than the row. */
const PIECE_CHARS = 16_384

/** Answers with a report, row by row. What fails before the first row is a problem; what fails later cuts the answer off. */
export async function sendReport(
  request: FastifyRequest,
  reply: FastifyReply,
  report: Pick<Report, 'name' | 'row'>,
  rows: Rows,
): Promise<FastifyReply> {
  const { format } = request.query as ReportQuery
  const isCsv = format === undefined ? wantsCsv(request.headers.accept) : format === 'csv'
  const begun = await begin(rows)
  const text = isCsv ? csvOf(Object.keys(report.row.properties), begun) : jsonOf(begun)
  reply.header('vary', 'accept').header('cache-control', 'no-store')
  if (isCsv) reply.header('content-disposition', `attachment; filename="${report.name}.csv"`)
  reply.type(isCsv ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8')
  return sendText(reply, text)
}

/** Answers with a text as it is made, at the pace of whoever reads it. */
export function sendText(reply: FastifyReply, text: AsyncIterable<string>): FastifyReply {
  return reply.send(Readable.from(pieces(text), { objectMode: false, highWaterMark: WAITING_BYTES_MAX }))
}

// What a browser sends names neither.
function wantsCsv(accept = ''): boolean {
  return accept.includes('text/csv') && !accept.includes('json')
}

async function begin(rows: Rows): Promise<Rows> {
  const iterator = rows[Symbol.asyncIterator]()
  const first = await iterator.next()
  return (async function* () {
    if (first.done) return
    yield first.value
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

async function* jsonOf(rows: Rows): AsyncGenerator<string> {
  yield '{"items":['
  let comma = ''
  for await (const row of rows) {
    yield comma + JSON.stringify(row)
    comma = ','
  }
  yield '],"nextCursor":null}'
}

async function* csvOf(columns: readonly string[], rows: Rows): AsyncGenerator<string> {
  yield csvLine(columns)
  for await (const row of rows) yield csvLine(columns.map((column) => row[column] ?? null))
}

async function* pieces(text: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = ''
  for await (const part of text) {
    piece += part
    if (piece.length < PIECE_CHARS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}
