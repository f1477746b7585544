import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { changesSince, createNumbering } from '../changes.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, operation, Time } from '../schemas.ts'

const LIMIT_DEFAULT = 200

const Change = Type.Object(
  {
    entity: Type.String({ description: 'What kind of thing: `facility`, `stockEvent` ...' }),
    id: Type.String(),
    kind: Type.Enum(['put', 'delete'], {
      description: '`put`: it is there, new or changed. `delete`: it is gone, or out of your sight.',
    }),
    at: Time,
    data: Type.Optional(
      Type.Unknown({
        description:
          'The thing as it is now, as GET answers it. Absent for what is deleted, and for kinds that are fetched by id.',
      }),
    ),
  },
  { title: 'Change' },
)

const list = operation({
  operationId: 'listChanges',
  summary: 'What changed since I last asked, of all that I may see',
  description:
    'For clients that keep a copy. Keep `nextCursor` with the copy and give it as `since`; ask again at once while `more` is true. No change is left out, also not one that was committed late; a thing that changed several times is told once, as it is now, and may be told again. To begin: take `since=now`, then read the lists, then follow from its cursor; or go through everything with no `since`. `delete` of a facility takes everything in and below it away. With `reset` your part of the tree is another one (or the server went back to a backup): throw the copy away, this page is the first of a new one.',
  tags: ['changes'],
  querystring: Type.Object(
    {
      since: Type.Optional(
        Type.String({
          maxLength: 200,
          description: '`nextCursor` of before, or `now`; empty or left out: from the beginning.',
        }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: LIMIT_DEFAULT })),
    },
    closed,
  ),
  response: {
    200: Type.Object({
      items: Type.Array(Change),
      nextCursor: Type.String({ description: 'Never null: it is where the next change will come.' }),
      more: Type.Boolean(),
      reset: Type.Boolean(),
    }),
  },
})

export const changeRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, { db }) => {
  const number = createNumbering(db)
  app.get('/changes', { schema: list }, async ({ query, caller }) => {
    await number()
    return changesSince(db, caller, { since: query.since || undefined, limit: query.limit ?? LIMIT_DEFAULT })
  })
}
