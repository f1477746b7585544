import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { randomUUIDv7 } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { isDuplicate } from '../../db/dialects/duplicate.ts'
import { findNewestTokens, revokeSessions } from '../../db/queries/session.ts'
import { findUserInScope, insertUser, listUsers, updateUser, type PlacedUser } from '../../db/queries/user.ts'
import type { DbOrTrx, UserAccountTable } from '../../db/schema.ts'
import { CodedError } from '../../domain/errors.ts'
import { ROLES, type Role } from '../../domain/role.ts'
import { facilityOf, found, pathOf, type Caller } from '../caller.ts'
import { decodeCursor, toPage } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { checkPassword, hashPassword, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '../password.ts'
import { GRANTABLE } from '../../domain/permissions.ts'
import {
  closed,
  Id,
  IdParams,
  LIMIT_DEFAULT,
  Name,
  nullable,
  operation,
  page,
  paging,
  Search,
  Time,
} from '../schemas.ts'
import { timeOfId, toRfc3339 } from '../time.ts'
import { audit, once } from '../write.ts'
import { inTransaction } from '../../db/transaction.ts'

export const User = Type.Object(
  {
    id: Id,
    username: Type.String(),
    name: Type.String(),
    email: nullable(Type.String()),
    role: Type.Enum([...ROLES]),
    facilityId: nullable(Id),
    disabled: Type.Boolean(),
    createdAt: Time,
  },
  { title: 'User' },
)

const SeenUser = Type.Object(
  {
    ...User.properties,
    facilityName: nullable(Type.String()),
    timeZone: nullable(Type.String({ description: 'Of their place.' })),
    lastSeenAt: Type.Union([Time, Type.Null()], {
      description:
        'When they last logged in or worked, to some minutes; null: not since their last session ended.',
    }),
  },
  { title: 'SeenUser' },
)

const Email = Type.String({ format: 'email', maxLength: 200 })
const Password = Type.String({ minLength: PASSWORD_LENGTH_MIN, maxLength: PASSWORD_LENGTH_MAX })

const NewUser = Type.Object(
  {
    username: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._@+-]{1,99}$',
      description: 'Kept in lower case; never changes.',
    }),
    name: Name,
    email: Type.Optional(nullable(Email)),
    password: Password,
    role: Type.Enum([...ROLES]),
    facilityId: Type.Optional(
      Type.Union([Id, Type.Null()], {
        description: 'Root of the part of the tree in which they act. Administrators have none.',
      }),
    ),
  },
  closed,
)
const UserChange = Type.Partial(
  Type.Object(
    {
      name: Name,
      email: nullable(Email),
      role: Type.Enum([...ROLES]),
      facilityId: nullable(Id),
      disabled: Type.Boolean(),
      password: Password,
    },
    closed,
  ),
  { ...closed, minProperties: 1 },
)

const list = operation(
  {
    operationId: 'listUsers',
    summary: 'Users in my part of the tree',
    tags: ['users'],
    querystring: Type.Object({ ...paging, facilityId: Type.Optional(Id), q: Search }, closed),
    response: { 200: page(SeenUser) },
  },
  ['resource.notFound'],
)
const get = operation({
  operationId: 'getUser',
  summary: 'One user',
  tags: ['users'],
  params: IdParams,
  response: { 200: SeenUser },
})
const create = operation(
  {
    operationId: 'createUser',
    summary: 'Create a user, with no more rights than I have',
    tags: ['users'],
    body: NewUser,
    response: { 201: User },
  },
  ['resource.conflict', 'resource.notFound'],
)
const change = operation({
  operationId: 'updateUser',
  summary: 'Change a user; a new password or a disabled account ends their sessions',
  tags: ['users'],
  params: IdParams,
  body: UserChange,
  response: { 200: User },
})

export const userRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/users', { schema: list }, async ({ query, caller }) => {
    const { cursor, limit = LIMIT_DEFAULT, facilityId, q } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, under, search: q, after: decodeCursor(cursor), limit: limit + 1 }
    const users = await listUsers(deps.db, asked)
    const tokens = await findNewestTokens(
      deps.db,
      users.map(({ id }) => id),
    )
    return toPage(users, limit, (user) => seenUserView(user, tokens.get(user.id)))
  })
  app.get('/users/:id', { schema: get }, async ({ params, caller }) => {
    const user = found(await findUserInScope(deps.db, params.id, caller.scope))
    return seenUserView(user, (await findNewestTokens(deps.db, [user.id])).get(user.id))
  })
  app.post('/users', { schema: create }, async (request, reply) => {
    checkPassword(request.body.password, request.body.username)
    checkGrant(request.caller, request.body.role, request.body.facilityId ?? null)
    const passwordHash = await hashPassword(request.body.password)
    return once(deps, request, reply, { status: 201 }, (trx) =>
      createUser(deps, trx, request.caller, request.body, passwordHash),
    )
  })
  app.patch('/users/:id', { schema: change }, async ({ params, body, caller }) => {
    const { password } = body
    const passwordHash = password === undefined ? undefined : await hashPassword(password)
    return inTransaction(deps.db, (trx) =>
      changeUser(deps, trx, caller, { id: params.id, passwordHash }, body),
    )
  })
}

/** @throws CodedError `auth.forbidden` for more rights than the caller has, `request.invalid` for a role without its place */
function checkGrant(caller: Caller, role: Role, facilityId: string | null): void {
  const grantable: readonly Role[] = GRANTABLE[caller.role]
  if (!grantable.includes(role)) throw new CodedError('auth.forbidden', `You may not give the role ${role}.`)
  if ((role === 'administrator') !== (facilityId === null))
    throw new CodedError('request.invalid', 'Administrators have no facilityId, and everybody else has one.')
}

async function createUser(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  body: Static<typeof NewUser>,
  passwordHash: string,
): Promise<Static<typeof User>> {
  if (body.facilityId) await facilityOf(trx, caller, body.facilityId)
  const user: UserAccountTable = {
    id: randomUUIDv7(),
    username: body.username.toLowerCase(),
    name: body.name,
    email: body.email ?? null,
    passwordHash,
    role: body.role,
    facilityId: body.facilityId ?? null,
    disabledAt: null,
    createdAt: deps.clock.now(),
  }
  try {
    await insertUser(trx, user)
  } catch (error) {
    if (isDuplicate(error)) throw new CodedError('resource.conflict', 'This user name is taken.')
    throw error
  }
  const after = userView(user)
  await audit(trx, caller, deps.clock.now(), {
    action: 'user.created',
    entity: 'user',
    entityId: user.id,
    after,
  })
  return after
}

async function changeUser(
  deps: RouteDeps,
  trx: DbOrTrx,
  caller: Caller,
  { id, passwordHash }: { readonly id: string; readonly passwordHash: string | undefined },
  body: Static<typeof UserChange>,
): Promise<Static<typeof User>> {
  const user = found(await findUserInScope(trx, id, caller.scope))
  const next = changed(user, body, deps.clock.now())
  await checkChange(trx, caller, user, next)
  if (body.password !== undefined) checkReset(caller, user, body.password)
  const { name, email, role, facilityId, disabledAt } = next
  await updateUser(trx, id, {
    name,
    email,
    role,
    facilityId,
    disabledAt,
    ...(passwordHash === undefined ? {} : { passwordHash }),
  })
  if (passwordHash !== undefined || body.disabled) await revokeSessions(trx, id, deps.clock.now())
  await audit(trx, caller, deps.clock.now(), {
    action: passwordHash === undefined ? 'user.changed' : 'user.changedWithPassword',
    entity: 'user',
    entityId: id,
    before: userView(user),
    after: userView(next),
  })
  return userView(next)
}

// Their own password people change with POST /me/password, which asks for the old one: a stolen token is not enough.
function checkReset(caller: Caller, user: UserAccountTable, password: string): void {
  if (caller.id === user.id) throw new CodedError('auth.forbidden', 'Use POST /v1/me/password for your own.')
  checkPassword(password, user.username)
}

function changed(user: UserAccountTable, body: Static<typeof UserChange>, now: number): UserAccountTable {
  const disabledAt =
    body.disabled === undefined ? user.disabledAt : body.disabled ? (user.disabledAt ?? now) : null
  return {
    ...user,
    name: body.name ?? user.name,
    email: body.email === undefined ? user.email : body.email,
    role: body.role ?? user.role,
    facilityId: body.facilityId === undefined ? user.facilityId : body.facilityId,
    disabledAt,
  }
}

async function checkChange(
  trx: DbOrTrx,
  caller: Caller,
  user: UserAccountTable,
  next: UserAccountTable,
): Promise<void> {
  const moved = next.role !== user.role || next.facilityId !== user.facilityId
  // Nobody locks themselves out: so there is always an administrator left, the one who acts.
  if (caller.id === user.id && (moved || next.disabledAt !== user.disabledAt))
    throw new CodedError('auth.forbidden', 'You may not change your own role, place or state.')
  if (!moved) return
  checkGrant(caller, next.role, next.facilityId)
  if (next.facilityId !== null) await facilityOf(trx, caller, next.facilityId)
}

function seenUserView(user: PlacedUser, tokenId: string | undefined): Static<typeof SeenUser> {
  const { facilityName, timeZone } = user
  const lastSeenAt = tokenId === undefined ? null : toRfc3339(timeOfId(tokenId))
  return { ...userView(user), facilityName, timeZone, lastSeenAt }
}

/** A user as others see them: without the password hash. */
export function userView(user: UserAccountTable): Static<typeof User> {
  return {
    id: user.id,
    username: user.username,
    name: user.name,
    email: user.email,
    role: user.role,
    facilityId: user.facilityId,
    disabled: user.disabledAt !== null,
    createdAt: toRfc3339(user.createdAt),
  }
}
