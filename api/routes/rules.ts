import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listProfiles, listRules } from '../../db/queries/rule.ts'
import { QUANTITY_NAMES } from '../../domain/reading.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'

const Rule = Type.Object(
  {
    id: Type.String(),
    profile: Type.String(),
    name: Type.String(),
    quantity: Type.Enum([...QUANTITY_NAMES]),
    comparator: Type.Enum(['gt', 'gte', 'lt', 'lte']),
    threshold: Type.Number(),
    mode: Type.Enum(['instant', 'consecutive', 'cumulative']),
    durationMs: Type.Integer(),
    gapMsMax: Type.Integer(),
    severity: Type.Enum(['warning', 'critical']),
  },
  { title: 'Rule' },
)
const Profile = Type.Object(
  { id: Type.String({ description: 'What equipment gives as its `profile`.' }) },
  { title: 'Profile' },
)

const rules = operation({
  operationId: 'listRules',
  summary: 'The rules by which readings are judged',
  tags: ['rules'],
  querystring: Type.Object(
    { ...paging, profile: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) },
    closed,
  ),
  response: { 200: page(Rule) },
})
const profiles = operation({
  operationId: 'listProfiles',
  summary: 'The storage profiles that equipment can have',
  tags: ['rules'],
  response: { 200: page(Profile) },
})

export const ruleRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/rules', { schema: rules }, async ({ query }) => {
    const { cursor, profile, limit = LIMIT_DEFAULT } = query
    const found = await listRules(deps.db, { profile, after: decodeCursor(cursor), limit: limit + 1 })
    return toPage(found, limit, (rule) => rule)
  })
  app.get('/profiles', { schema: profiles }, async () => ({
    items: (await listProfiles(deps.db)).map((id) => ({ id })),
    nextCursor: null,
  }))
}
