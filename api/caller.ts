import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { findActor } from '../db/queries/user.ts'
import { findFacility } from '../db/queries/facility.ts'
import type { DbOrTrx, FacilityTable } from '../db/schema.ts'
import { CodedError } from '../domain/errors.ts'
import type { Role } from '../domain/role.ts'
import type { RouteDeps } from './deps.ts'
import { may, PERMISSIONS, type OperationId } from './permissions.ts'

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
      throw new Error(`${String(route.method)} ${route.url} has no entry in api/permissions.ts`)
    route.config = { ...route.config, operationId: operationId as OperationId }
  })
  app.addHook('onRequest', async (request) => {
    const operation = request.routeOptions.config.operationId
    if (operation === undefined || PERMISSIONS[operation] === 'public') return
    request.caller = await authenticate(deps.db, request)
    if (!may(request.caller, operation)) throw new CodedError('auth.forbidden')
  })
}

async function authenticate(db: DbOrTrx, request: FastifyRequest): Promise<Caller> {
  const token = await verifyToken(request)
  return findCaller(db, { userId: token.sub, session: token.sid, expiresAt: token.exp * 1000 })
}

async function verifyToken(request: FastifyRequest): Promise<AccessToken> {
  try {
    return await request.jwtVerify<AccessToken>()
  } catch (error) {
    const expired = (error as { code?: string }).code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED'
    throw new CodedError(expired ? 'auth.tokenExpired' : 'auth.required', undefined, { cause: error })
  }
}

/**
 * The caller of a session as the database knows them now.
 * @throws CodedError `auth.required` when the user is disabled, the session is revoked, or they have no place to act in
 */
export async function findCaller(
  db: DbOrTrx,
  token: { readonly userId: string; readonly session: string; readonly expiresAt: number },
): Promise<Caller> {
  const actor = await findActor(db, token.userId, token.session)
  const scope = actor?.role === 'administrator' ? '' : actor?.path
  if (!actor || scope === null || scope === undefined) throw new CodedError('auth.required')
  return {
    id: actor.id,
    username: actor.username,
    role: actor.role,
    facilityId: actor.facilityId,
    scope,
    session: token.session,
    expiresAt: token.expiresAt,
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
