import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listRules } from '../../db/queries/rule.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { RuleOut, ruleView } from '../rule-schemas.ts'
import { closed, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'

const rules = operation({
  operationId: 'listRules',
  summary: 'The rules by which readings are or were judged, in all versions',
  tags: ['rules'],
  querystring: Type.Object(
    { ...paging, profile: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) },
    closed,
  ),
  response: { 200: page(RuleOut) },
})

export const ruleRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/rules', { schema: rules }, async ({ query, caller }) => {
    const { cursor, profile, limit = LIMIT_DEFAULT } = query
    const asked = { scope: caller.scope, profile, after: decodeCursor(cursor), limit: limit + 1 }
    return toPage(await listRules(deps.db, asked), limit, ruleView)
  })
}
