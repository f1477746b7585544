import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { countTry, forgetTries } from '../attempts.ts'
import type { RouteDeps } from '../deps.ts'
import { closed, Empty, operation } from '../schemas.ts'
import { forgetCookie, keepInCookie, tokenInCookie } from '../session-cookie.ts'
import { closeSession, openSession, refreshSession, type Session } from '../session.ts'

const Tokens = Type.Object(
  {
    accessToken: Type.String({ description: 'Send it as `Authorization: Bearer`.' }),
    refreshToken: Type.Optional(
      Type.String({
        description:
          'Good for one use: it is traded for the next one. Not of a session in a cookie, which scripts never see.',
      }),
    ),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Life of the access token in seconds.' }),
  },
  { title: 'Tokens' },
)
const InCookie = Type.Literal('cookie', {
  description: 'For browsers: the refresh token is kept in a cookie that only `/v1/auth` gets.',
})
const RefreshToken = Type.Union([
  Type.Object({ refreshToken: Type.String({ minLength: 1, maxLength: 200 }) }, closed),
  Type.Object({ session: InCookie }, closed),
])

const login = operation(
  {
    operationId: 'login',
    summary: 'Log in with user name and password',
    tags: ['auth'],
    body: Type.Object(
      {
        username: Type.String({ minLength: 1, maxLength: 100 }),
        password: Type.String({ minLength: 1, maxLength: 200 }),
        session: Type.Optional(InCookie),
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
    if (request.body.session) keepInCookie(request, reply, deps, session)
    return tokens(app, deps, session, request.body.session)
  })
  app.post('/auth/refresh', { schema: refresh }, async (request, reply) => {
    const { body } = request
    if ('refreshToken' in body) return tokens(app, deps, await refreshSession(deps, body.refreshToken))
    const session = await refreshSession(deps, tokenInCookie(request))
    keepInCookie(request, reply, deps, session)
    return tokens(app, deps, session, 'cookie')
  })
  app.post('/auth/logout', { schema: logout }, async (request, reply) => {
    const { body } = request
    const inCookie = !('refreshToken' in body)
    await closeSession(deps, inCookie ? tokenInCookie(request) : body.refreshToken)
    if (inCookie) forgetCookie(request, reply)
    return reply.code(204).send(null)
  })
}

function tokens(
  app: Pick<FastifyInstance, 'jwt'>,
  { settings }: RouteDeps,
  session: Session,
  kept?: 'cookie',
) {
  return {
    accessToken: app.jwt.sign({ sub: session.userId, sid: session.family }),
    ...(kept ? {} : { refreshToken: session.refreshToken }),
    tokenType: 'Bearer' as const,
    expiresIn: Math.floor(settings.accessTokenTtlMs / 1000),
  }
}
