import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { findActors, type Actor } from '../db/queries/user.ts'
import { findFacility } from '../db/queries/facility.ts'
import type { DbOrTrx, FacilityTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { Role } from '../domain/role.ts'
import type { RouteDeps } from './deps.ts'
import { may, PERMISSIONS, type OperationId } from '../domain/permissions.ts'
import { together } from './together.ts'

/** Of one look-up. */
const SESSIONS_MAX = 200

/** The person (or the service) behind a request, as they are at this moment. */
export interface Caller {
  readonly id: string
  readonly username: string
  readonly role: Role
  readonly facilityId: string | null
  /** Path prefix of all that they see; empty for everything. */
  readonly scope: string
  /** Their session: the family of their refresh tokens. */
  readonly session: string
  /** When their access token ends, epoch milliseconds. */
  readonly expiresAt: number
  /** Of what they ask now. */
  readonly requestId: string
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route but the public ones. */
    caller: Caller
  }
  interface FastifyContextConfig {
    operationId?: OperationId
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string; sid: string }
    user: AccessToken
  }
}

interface AccessToken {
  readonly sub: string
  readonly sid: string
  /** Seconds. */
  readonly exp: number
}

/**
 * Puts authentication and roles in front of every route of this plugin: 401 and 403 come before anything of the request is
 * looked at. A route without an entry in the permissions does not start.
 */
export async function guard(app: FastifyInstance, deps: RouteDeps): Promise<void> {
  await app.register(jwt, {
    secret: deps.settings.jwtSecret,
    sign: { algorithm: 'HS256', iss: 'coldstream', expiresIn: `${deps.settings.accessTokenTtlMs}ms` },
    verify: { algorithms: ['HS256'], allowedIss: 'coldstream', requiredClaims: ['sub', 'sid', 'exp'] },
  })
  app.addHook('onRoute', (route) => {
    const operationId = (route.schema as { operationId?: string } | undefined)?.operationId
    if (operationId === undefined || !(operationId in PERMISSIONS))
      throw new Error(`${String(route.method)} ${route.url} has no entry in domain/permissions.ts`)
    route.config = { ...route.config, operationId: operationId as OperationId }
  })
  const look = createLookUp(deps.db)
  app.addHook('onRequest', async (request) => {
    const operation = request.routeOptions.config.operationId
    if (operation === undefined || PERMISSIONS[operation] === 'public') return
    request.caller = { ...(await look(await verifyToken(request))), requestId: request.id }
    if (!may(request.caller, operation)) throw new CodedError('auth.forbidden')
  })
}

interface Session {
  readonly userId: string
  readonly session: string
  readonly expiresAt: number
}

async function verifyToken(request: FastifyRequest): Promise<Session> {
  try {
    const { sub, sid, exp } = await request.jwtVerify<AccessToken>()
    return { userId: sub, session: sid, expiresAt: exp * 1000 }
  } catch (error) {
    const expired = (error as { code?: string }).code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED'
    throw new CodedError(expired ? 'auth.tokenExpired' : 'auth.required', undefined, { cause: error })
  }
}

/**
 * Makes the look-up of the caller of a session as the database knows them now: those who come at the same time are looked up together.
 * It throws `auth.required` when the user is disabled, the session is revoked, or they have no place to act in.
 */
export function createLookUp(db: DbOrTrx): (session: Session) => Promise<Omit<Caller, 'requestId'>> {
  const findActor = together(
    async (sessions: readonly Session[]) => {
      const actors = await findActors(db, sessions)
      return sessions.map(({ session }) => actors.get(session))
    },
    { batchMax: SESSIONS_MAX },
  )
  return async (session) => callerOf(await findActor(session), session)
}

function callerOf(
  actor: Actor | undefined,
  { userId, session, expiresAt }: Session,
): Omit<Caller, 'requestId'> {
  const scope = actor?.role === 'administrator' ? '' : actor?.path
  if (!actor || actor.id !== userId || scope === null || scope === undefined)
    throw new CodedError('auth.required')
  return {
    id: actor.id,
    username: actor.username,
    role: actor.role,
    facilityId: actor.facilityId,
    scope,
    session,
    expiresAt,
  }
}

/** What is there and theirs; else 404 for both, so that nobody learns of ids that are not theirs. */
export function found<T>(row: T | undefined): T {
  if (row === undefined) throw new CodedError('resource.notFound')
  return row
}

/** Path of the facility that a list is narrowed to; undefined when it is not. @throws CodedError `resource.notFound` */
export async function pathOf(
  db: DbOrTrx,
  caller: Caller,
  facilityId: string | undefined,
): Promise<string | undefined> {
  return facilityId === undefined ? undefined : (await facilityOf(db, caller, facilityId)).path
}

/** A facility in the caller's part of the tree. @throws CodedError `resource.notFound` */
export async function facilityOf(db: DbOrTrx, caller: Caller, id: string): Promise<FacilityTable> {
  return found(await findFacility(db, id, caller.scope))
}
