import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { alarms } from '../reports/alarms.ts'
import { askedOf } from '../reports/ask.ts'
import { coverage, expiryRisk, forecast, stockOnHand } from '../reports/on-hand.ts'
import { fillRate, leadTime } from '../reports/orders.ts'
import { discrepancies, reportingCompleteness } from '../reports/quality.ts'
import type { Report, ReportQuery } from '../reports/report.ts'
import { sendReport } from '../reports/send.ts'
import { stockOuts } from '../reports/stock-outs.ts'
import { consumption, wastage } from '../reports/use.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Id, operation, page } from '../schemas.ts'

const REPORTS: readonly Report[] = [
  stockOnHand,
  stockOuts,
  coverage,
  consumption,
  wastage,
  expiryRisk,
  discrepancies,
  forecast,
  reportingCompleteness,
  fillRate,
  leadTime,
  alarms,
]

export const reportRoutes: FastifyPluginAsync<RouteDeps> = async (app, { db, clock }) => {
  for (const report of REPORTS)
    // No HEAD: it would make the report and throw it away.
    app.get(
      `/reports/${report.name}`,
      { schema: schemaOf(report), exposeHeadRoute: false },
      async (request, reply) => {
        const query = request.query as ReportQuery
        const asked = await askedOf(db, request.caller, query, clock.now())
        return sendReport(request, reply, report, firstOf(report.rows(asked), query.limit))
      },
    )
}

/** What comes after is not made. */
async function* firstOf<Row>(rows: AsyncIterable<Row>, limit = Infinity): AsyncGenerator<Row> {
  let count = 0
  for await (const row of rows) {
    yield row
    if (++count >= limit) return
  }
}

function schemaOf({ operationId, summary, description, query, row }: Report) {
  return operation(
    {
      operationId,
      summary,
      description: `${description} The answer is a stream of all rows: JSON, or CSV with \`format=csv\` or \`Accept: text/csv\`.`,
      tags: ['reports'],
      querystring: Type.Object(
        {
          facilityId: Type.Optional({ ...Id, description: 'This facility and all below it.' }),
          ...query,
          format: Type.Optional(Type.Enum(['json', 'csv'])),
          limit: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 10_000,
              description: 'At most so many rows; all if left out.',
            }),
          ),
        },
        closed,
      ),
      response: {
        200: {
          description: 'All rows; there is never a next page.',
          content: {
            'application/json': { schema: page(row) },
            'text/csv': { schema: Type.String({ description: 'A header, and the same columns.' }) },
          },
        },
      },
    },
    ['resource.notFound'],
  )
}
