import compress, { type FastifyCompressOptions } from '@fastify/compress'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants } from 'node:zlib'
import type { Logger } from 'pino'
import { Type } from 'typebox'
import type { Caller } from '../api/caller.ts'
import { notFoundHandler, Problem, problemHandler } from '../api/errors.ts'
import type { Part } from '../ports/part.ts'
import type { PromMetrics } from './metrics.ts'
import { VERSION } from './version.ts'

interface HttpDeps {
  readonly log: Logger
  readonly metrics: PromMetrics
  readonly parts: readonly Part[]
  /** Bodies larger than this are refused with 413; a route may set its own limit. */
  readonly bodyBytesMax?: number
}

/**
 * Bytes are what costs on a mobile network. Measured on 71 kB of stock lines: gzip 6 leaves 11.3 kB for 0.8 ms of processor time, brotli 4
 * 10.2 kB for 1.0 ms; brotli's own default (11) would leave 8.9 kB for 135 ms. Event streams are left alone: what a compressor holds back comes late.
 */
const COMPRESSION = {
  threshold: 1024,
  encodings: ['br', 'gzip'],
  zlibOptions: { level: 6 },
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
} satisfies FastifyCompressOptions

/**
 * The one HTTP server of a process: health, metrics, OpenAPI at `/docs`, and the routes of every part in it.
 * It does not listen; tests use `inject`.
 */
export async function buildHttp(deps: HttpDeps): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUIDv7(),
    requestIdHeader: false,
    bodyLimit: deps.bodyBytesMax ?? 1_048_576,
    // A slow sender must not hold a socket for ever.
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
    // What fails before a route is found: a malformed address, a parameter that is too long.
    frameworkErrors: (error, request, reply) => problemHandler(error, request, reply),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  })
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  app.setErrorHandler(problemHandler)
  app.setNotFoundHandler(notFoundHandler)
  await app.register(helmet, { contentSecurityPolicy: false })
  // Requests stay as they are: a small body that grows to fill the memory is not let in.
  await app.register(compress, { ...COMPRESSION, globalDecompression: false })
  app.addSchema({ ...Problem, $id: 'Problem' })
  await app.register(swagger, {
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) => String(schema.$id ?? `def-${index}`),
    },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Coldstream',
        version: VERSION,
        description:
          'Cold-chain monitoring and vaccine supply. Errors are problem details (RFC 9457) with a stable `code`; times are RFC 3339 in UTC; lists answer `{items, nextCursor}`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          person: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          device: { type: 'http', scheme: 'bearer', description: 'The access token of a device.' },
        },
      },
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  observeRequests(app, deps.metrics)
  addOperationalRoutes(app, deps)
  for (const part of deps.parts) if (part.routes) await app.register(part.routes)
  return app
}

function observeRequests(app: FastifyInstance, metrics: PromMetrics): void {
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const labels = {
      route: request.routeOptions.url ?? 'unknown',
      method: request.method,
      status: String(reply.statusCode),
    }
    metrics.observe('coldstream_http_request_seconds', labels, reply.elapsedTime / 1000)
    const level = reply.statusCode >= 400 ? 'info' : 'debug'
    const userId = (request.caller as Caller | undefined)?.id
    request.log[level]({ ...labels, userId, elapsedMs: Math.round(reply.elapsedTime) }, 'answered')
  })
}

const Health = Type.Object({ status: Type.String() })
const Readiness = Type.Object({
  status: Type.String(),
  parts: Type.Record(Type.String(), Type.String()),
})

const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['operations'] })

function addOperationalRoutes(app: FastifyInstance, { metrics, parts }: HttpDeps): void {
  app.get(
    '/healthz',
    { schema: { ...about('health', 'Is the process alive?'), response: { 200: Health } } },
    async () => ({ status: 'ok' }),
  )
  app.get(
    '/readyz',
    {
      schema: {
        ...about('readiness', 'Can every part in this process do its work?'),
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const states = await Promise.all(parts.map(async (part) => [part.name, await readiness(part)] as const))
      const ready = states.every(([, state]) => state === 'ready')
      return reply
        .code(ready ? 200 : 503)
        .send({ status: ready ? 'ready' : 'not ready', parts: Object.fromEntries(states) })
    },
  )
  app.get(
    '/metrics',
    {
      schema: {
        ...about('metrics', 'Metrics in the text format of Prometheus.'),
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.scrape()),
  )
  metrics.beforeScrape(async () => {
    for (const part of parts) {
      const isReady = (await readiness(part)) === 'ready'
      metrics.set('coldstream_part_ready', { part: part.name }, isReady ? 1 : 0)
    }
  })
}

// Whoever asks has a timeout too, and a store that stands still answers late.
const READY_MS_MAX = 2000

async function readiness(part: Part): Promise<string> {
  try {
    const late = sleep(READY_MS_MAX, 'no answer in time', { ref: false })
    return (await Promise.race([part.ready(), late])) ?? 'ready'
  } catch (error) {
    return error instanceof Error ? error.message : 'failed'
  }
}
