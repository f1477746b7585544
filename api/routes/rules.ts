import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listRules } from '../../db/queries/rule.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { createPreviews, PreviewPage, PreviewRequest } from '../preview-page.ts'
import { RULE_CODES, RuleOut, ruleView } from '../rule-schemas.ts'
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
const preview = operation(
  {
    operationId: 'previewRules',
    summary: 'What rules would have found in past readings, beside what was recorded',
    description:
      'Tries rules, or a version of a profile, on every sensor of a device, a piece of equipment or a facility with all below it. Exact: what had begun before `from` is read from where it began. Nothing is changed. Pages follow each other by device.',
    tags: ['rules'],
    body: PreviewRequest,
    response: { 200: PreviewPage },
  },
  [
    'resource.notFound',
    'request.tooMany',
    'preview.tooManySensors',
    'preview.tooManyReadings',
    ...RULE_CODES,
  ],
)

export const ruleRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  const previews = createPreviews(deps)
  app.get('/rules', { schema: rules }, async ({ query, caller }) => {
    const { cursor, profile, limit = LIMIT_DEFAULT } = query
    const asked = { scope: caller.scope, profile, after: decodeCursor(cursor), limit: limit + 1 }
    return toPage(await listRules(deps.db, asked), limit, ruleView)
  })
  app.post('/rules/preview', { schema: preview }, async ({ caller, body }) => previews(caller, body))
}
