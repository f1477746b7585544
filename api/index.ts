import type { FastifyPluginAsync } from 'fastify'
import { ping } from '../db/ping.ts'
import { deleteOldIdempotencyKeys } from '../db/queries/idempotency.ts'
import { deleteExpiredRefreshTokens } from '../db/queries/session.ts'
import type { Part } from '../ports/part.ts'
import { guard } from './caller.ts'
import { answerUnchanged } from './etag.ts'
import { resolve, type ApiDeps, type RouteDeps } from './deps.ts'
import { createLive, type Live } from './live.ts'
import { authRoutes } from './routes/auth.ts'
import { breachRoutes } from './routes/breaches.ts'
import { commandRoutes } from './routes/commands.ts'
import { contactRoutes } from './routes/contacts.ts'
import { deviceRoutes } from './routes/devices.ts'
import { epcisRoutes } from './routes/epcis.ts'
import { disposalRoutes } from './routes/disposals.ts'
import { equipmentRoutes } from './routes/equipment.ts'
import { equipmentStateRoutes } from './routes/equipment-states.ts'
import { exposureRoutes } from './routes/exposure.ts'
import { escalationRoutes, onCallRoutes } from './routes/escalation.ts'
import { facilityRoutes } from './routes/facilities.ts'
import { logRoutes } from './routes/logs.ts'
import { lotTraceRoutes } from './routes/lot-trace.ts'
import { fileRoutes } from './routes/files.ts'
import { meRoutes } from './routes/me.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { queueRoutes } from './routes/queues.ts'
import { readingRoutes } from './routes/readings.ts'
import { referenceRoutes } from './routes/reference.ts'
import { refusalRoutes } from './routes/refusals.ts'
import { reportRoutes } from './routes/reports.ts'
import { profileRoutes } from './routes/profiles.ts'
import { ruleRoutes } from './routes/rules.ts'
import { scanRoutes } from './routes/scan.ts'
import { orderStepRoutes } from './routes/order-steps.ts'
import { orderRoutes } from './routes/orders.ts'
import { overviewRoutes } from './routes/overview.ts'
import { shipmentRoutes } from './routes/shipments.ts'
import { stockCardRoutes } from './routes/stock-card.ts'
import { stockEventRoutes } from './routes/stock-events.ts'
import { changeRoutes } from './routes/changes.ts'
import { stockBatchRoutes } from './routes/stock-batch.ts'
import { stockLevelRoutes } from './routes/stock-levels.ts'
import { stockRoutes } from './routes/stock.ts'
import { streamRoutes } from './routes/stream.ts'
import { timeToBreachRoutes } from './routes/time-to-breach.ts'
import { userRoutes } from './routes/users.ts'
import { nameKeyProblems } from './schemas.ts'
import { serveWebsite } from './website.ts'
import { watchRoutes } from './routes/watch.ts'
import { compileByKind } from './validation.ts'

export { ensureAdministrator } from './administrator.ts'
export type { ApiDeps, ApiSettings, Command } from './deps.ts'

/** Where people come in: the registry, readings, breaches, refusals and the live stream, all under `/v1`. */
export async function startApi(deps: ApiDeps): Promise<Part> {
  const routeDeps = resolve(deps)
  const live = createLive(routeDeps)
  const sweeping = setInterval(() => void sweep(routeDeps), routeDeps.settings.sweepEveryMs)
  sweeping.unref()
  return {
    name: 'api',
    routes: routes(routeDeps, live),
    async ready() {
      await Promise.all([ping(deps.db), deps.cache.ping(), deps.series.ping()])
      return undefined
    },
    async stop() {
      clearInterval(sweeping)
      await live.close()
    },
  }
}

function routes(deps: RouteDeps, live: Live): FastifyPluginAsync {
  const v1: FastifyPluginAsync = async (app) => {
    app.setValidatorCompiler(compileByKind)
    await guard(app, deps)
    app.addHook('onRoute', nameKeyProblems)
    app.addHook('onSend', answerUnchanged)
    await app.register(authRoutes, deps)
    await app.register(meRoutes, deps)
    await app.register(userRoutes, deps)
    await app.register(facilityRoutes, deps)
    await app.register(referenceRoutes, deps)
    await app.register(equipmentRoutes, deps)
    await app.register(equipmentStateRoutes, deps)
    await app.register(overviewRoutes, deps)
    await app.register(deviceRoutes, deps)
    await app.register(commandRoutes, deps)
    await app.register(readingRoutes, deps)
    await app.register(exposureRoutes, deps)
    await app.register(timeToBreachRoutes, deps)
    await app.register(breachRoutes, deps)
    await app.register(notificationRoutes, deps)
    await app.register(contactRoutes, deps)
    await app.register(escalationRoutes, deps)
    await app.register(onCallRoutes, deps)
    await app.register(ruleRoutes, deps)
    await app.register(profileRoutes, deps)
    await app.register(watchRoutes, deps)
    await app.register(refusalRoutes, deps)
    await app.register(queueRoutes, deps)
    await app.register(logRoutes, deps)
    await app.register(stockEventRoutes, deps)
    await app.register(stockRoutes, deps)
    await app.register(stockBatchRoutes, deps)
    await app.register(changeRoutes, deps)
    await app.register(scanRoutes, deps)
    await app.register(epcisRoutes, deps)
    await app.register(orderRoutes, deps)
    await app.register(orderStepRoutes, deps)
    await app.register(shipmentRoutes, deps)
    await app.register(disposalRoutes, deps)
    await app.register(lotTraceRoutes, deps)
    await app.register(stockLevelRoutes, deps)
    await app.register(fileRoutes, deps)
    await app.register(stockCardRoutes, deps)
    await app.register(reportRoutes, deps)
    await app.register(streamRoutes, { ...deps, live })
  }
  return async (app) => {
    await app.register(v1, { prefix: '/v1' })
    if (deps.settings.websiteDir) await serveWebsite(app, deps.settings.websiteDir)
  }
}

/** Forgets answers and refresh tokens whose time is over. Doing it late or twice harms nobody. */
async function sweep({ db, clock, log, settings }: RouteDeps): Promise<void> {
  try {
    await deleteOldIdempotencyKeys(db, clock.now() - settings.idempotencyTtlMs)
    await deleteExpiredRefreshTokens(db, clock.now())
  } catch (error) {
    log.warn({ err: error }, 'could not sweep expired keys and tokens; will try again')
  }
}
