import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { countTry, forgetTries } from '../attempts.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Empty, operation } from '../schemas.ts'
import { closeSession, openSession, refreshSession, type Session } from '../session.ts'

const Tokens = Type.Object(
  {
    accessToken: Type.String({ description: 'Send it as `Authorization: Bearer`.' }),
    refreshToken: Type.String({ description: 'Good for one use: it is traded for the next one.' }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Life of the access token in seconds.' }),
  },
  { title: 'Tokens' },
)
const RefreshToken = Type.Object({ refreshToken: Type.String({ minLength: 1, maxLength: 200 }) }, closed)

const login = operation(
  {
    operationId: 'login',
    summary: 'Log in with user name and password',
    tags: ['auth'],
    body: Type.Object(
      {
        username: Type.String({ minLength: 1, maxLength: 100 }),
        password: Type.String({ minLength: 1, maxLength: 200 }),
      },
      closed,
    ),
    response: { 200: Tokens },
  },
  ['auth.invalidCredentials', 'auth.tooManyAttempts'],
)

const refresh = operation(
  {
    operationId: 'refreshTokens',
    summary: 'Trade a refresh token for new tokens',
    description: 'A refresh token that is used twice ends its session: somebody has a copy of it.',
    tags: ['auth'],
    body: RefreshToken,
    response: { 200: Tokens },
  },
  ['auth.refreshInvalid'],
)

const logout = operation({
  operationId: 'logout',
  summary: 'End a session, its access tokens included',
  tags: ['auth'],
  body: RefreshToken,
  response: { 204: Empty },
})

export const authRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.post('/auth/login', { schema: login }, async (request, reply) => {
    const username = request.body.username.toLowerCase()
    await countTry(deps, reply, username, request.ip)
    const session = await openSession(deps, username, request.body.password)
    await forgetTries(deps, username)
    return tokens(app, deps, session)
  })
  app.post('/auth/refresh', { schema: refresh }, async ({ body }) =>
    tokens(app, deps, await refreshSession(deps, body.refreshToken)),
  )
  app.post('/auth/logout', { schema: logout }, async (request, reply) => {
    await closeSession(deps, request.body.refreshToken)
    return reply.code(204).send(null)
  })
}

function tokens(app: Pick<FastifyInstance, 'jwt'>, { settings }: RouteDeps, session: Session) {
  return {
    accessToken: app.jwt.sign({ sub: session.userId, sid: session.family }),
    refreshToken: session.refreshToken,
    tokenType: 'Bearer' as const,
    expiresIn: Math.floor(settings.accessTokenTtlMs / 1000),
  }
}
