import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RouteDeps } from './deps.ts'
import type { Session } from './session.ts'

const NAME = 'coldstream_refresh'
const IN_HEADER = new RegExp(`(?:^|;\\s*)${NAME}=([A-Za-z0-9_-]{1,200})(?:;|$)`)

/** The refresh token of a browser goes where no script reads it, and comes back to `/v1/auth` alone. */
export function keepInCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { settings }: RouteDeps,
  { refreshToken }: Session,
): void {
  setCookie(request, reply, refreshToken, Math.floor(settings.refreshTokenTtlMs / 1000))
}

export function forgetCookie(request: FastifyRequest, reply: FastifyReply): void {
  setCookie(request, reply, '', 0)
}

/** The refresh token that the browser sent; empty, and so unknown, when there is none. */
export function tokenInCookie({ headers }: FastifyRequest): string {
  return IN_HEADER.exec(headers.cookie ?? '')?.[1] ?? ''
}

function setCookie(request: FastifyRequest, reply: FastifyReply, value: string, maxAgeSeconds: number): void {
  // TLS ends at the proxy. Who lies in this header harms only their own cookie.
  const secure = request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https'
  const attributes = `Path=/v1/auth; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  reply.header('set-cookie', `${NAME}=${value}; ${attributes}`).header('cache-control', 'no-store')
}
