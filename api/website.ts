import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { readdirSync } from 'node:fs'
import { CodedError } from '../domain/errors.ts'

const ASSETS_MAX_AGE_SECONDS = 31_536_000
/** Nothing inline, nothing from elsewhere: what does not come from this server does not run. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')
const PAGE = 'index.html'

/**
 * Serves the built website from the folder `root`. Whatever a browser opens that is no file and no route of another part is a screen, so it gets the
 * page; other clients keep their 404. It builds nothing.
 */
export async function serveWebsite(app: FastifyInstance, root: string): Promise<void> {
  const files = filesIn(root)
  if (!files.has(PAGE)) app.log.info({ root }, 'no website: it has not been built (npm run build:web)')
  else await app.register(fastifyStatic, { root, serve: false, preCompressed: true, cacheControl: false })
  app.get('/*', { schema: { hide: true } }, async (request, reply) => {
    const name = decodeURI(request.url.split('?', 1)[0] ?? '').slice(1)
    if (files.has(name)) return sendFile(reply, name)
    if (!isScreen(name, request.headers.accept)) return reply.callNotFound()
    if (!files.has(PAGE)) throw new CodedError('website.notBuilt')
    return sendFile(reply, PAGE)
  })
}

function sendFile(reply: FastifyReply, name: string): FastifyReply {
  // The bundler names what it makes by its content.
  const forever = name.startsWith('assets/')
  const caching = forever ? `public, max-age=${ASSETS_MAX_AGE_SECONDS}, immutable` : 'no-cache'
  reply.header('cache-control', caching).header('content-security-policy', CONTENT_SECURITY_POLICY)
  return reply.sendFile(name)
}

function isScreen(name: string, accept = ''): boolean {
  return accept.includes('text/html') && !/^(v1|api|docs|assets)(\/|$)/.test(name)
}

/** Read once: what is served is what was there at the start. */
function filesIn(root: string): ReadonlySet<string> {
  try {
    const names = readdirSync(root, { recursive: true, withFileTypes: true })
    return new Set(
      names.filter((it) => it.isFile()).map((it) => `${it.parentPath}/${it.name}`.slice(root.length + 1)),
    )
  } catch {
    return new Set()
  }
}
