import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { findUser, updateUser } from '../../db/queries/user.ts'
import { revokeSessions } from '../../db/queries/session.ts'
import { CodedError } from '../../domain/errors.ts'
import { countTry, forgetTries } from '../attempts.ts'
import { found, type Caller } from '../caller.ts'
import type { RouteDeps } from '../deps.ts'
import {
  checkPassword,
  hashPassword,
  PASSWORD_LENGTH_MAX,
  PASSWORD_LENGTH_MIN,
  verifyPassword,
} from '../password.ts'
import { closed, Empty, operation } from '../schemas.ts'
import { audit, once } from '../write.ts'
import { User, userView } from './users.ts'
import { inTransaction } from '../../db/transaction.ts'

const getMe = operation({
  operationId: 'getMe',
  summary: 'Who am I?',
  tags: ['auth'],
  response: { 200: User },
})

const changeMyPassword = operation(
  {
    operationId: 'changeMyPassword',
    summary: 'Change my own password; every other session of mine ends',
    tags: ['auth'],
    body: Type.Object(
      {
        currentPassword: Type.String({ minLength: 1, maxLength: PASSWORD_LENGTH_MAX }),
        newPassword: Type.String({ minLength: PASSWORD_LENGTH_MIN, maxLength: PASSWORD_LENGTH_MAX }),
      },
      closed,
    ),
    response: { 204: Empty },
  },
  ['auth.invalidCredentials', 'auth.tooManyAttempts'],
)

export const meRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/me', { schema: getMe }, async ({ caller }) => userView(found(await findUser(deps.db, caller.id))))
  app.post('/me/password', { schema: changeMyPassword }, async (request, reply) => {
    const { currentPassword, newPassword } = request.body
    checkPassword(newPassword, request.caller.username)
    await once(deps, request, reply, { status: 204, outside: true }, async () => {
      await checkCurrent(deps, reply, request.caller, currentPassword, request.ip)
      await changePassword(deps, request.caller, await hashPassword(newPassword))
    })
    return reply.send(null)
  })
}

async function checkCurrent(
  deps: RouteDeps,
  reply: FastifyReply,
  caller: Caller,
  password: string,
  address: string,
): Promise<void> {
  await countTry(deps, reply, caller.username, address)
  const user = found(await findUser(deps.db, caller.id))
  if (!(await verifyPassword(password, user.passwordHash))) throw new CodedError('auth.invalidCredentials')
  await forgetTries(deps, caller.username)
}

async function changePassword({ db, clock }: RouteDeps, caller: Caller, passwordHash: string): Promise<void> {
  const now = clock.now()
  await inTransaction(db, async (trx) => {
    await updateUser(trx, caller.id, { passwordHash })
    await revokeSessions(trx, caller.id, now, caller.session)
    await audit(trx, caller, now, { action: 'user.passwordChanged', entity: 'user', entityId: caller.id })
  })
}
