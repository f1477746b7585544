import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listOverrides, listReaches } from '../../db/queries/rule-assignment.ts'
import { listProfiles } from '../../db/queries/rule-profile.ts'
import type { ProfileOverrideTable } from '../../db/schema-rules.ts'
import { CodedError } from '../../domain/errors.ts'
import { pathOf } from '../caller.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { RouteDeps } from '../deps.ts'
import { setOverride } from '../profile-override.ts'
import {
  NewOverride,
  NewProfile,
  NewVersion,
  Override,
  overrideView,
  Profile,
  ProfileHead,
  ProfileParams,
  profileView,
} from '../profile-schemas.ts'
import { createProfile, getProfile, publishVersion } from '../profile.ts'
import { tellRulesChanged } from '../rule-change.ts'
import { RULE_CODES } from '../rule-schemas.ts'
import { closed, Id, LIMIT_DEFAULT, operation, page, paging } from '../schemas.ts'
import { once, writingOf } from '../write.ts'

const list = operation({
  operationId: 'listProfiles',
  summary: 'The profiles that equipment can have, with those that hold for all of it',
  tags: ['rules'],
  querystring: Type.Object(paging, closed),
  response: { 200: page(ProfileHead) },
})
const get = operation({
  operationId: 'getProfile',
  summary: 'One profile with its versions and their rules',
  tags: ['rules'],
  params: ProfileParams,
  response: { 200: Profile },
})
const create = operation(
  {
    operationId: 'createProfile',
    summary: 'Make a profile with its first version',
    tags: ['rules'],
    body: NewProfile,
    response: { 201: Profile },
  },
  ['resource.notFound', 'resource.conflict', ...RULE_CODES],
)
const publish = operation(
  {
    operationId: 'publishProfileVersion',
    summary: 'Publish a new version of a profile; the ones before stay as they are',
    description:
      'A rule that is the same as in the version before stays that rule, and what it was counting goes on. Readings from `validFrom` on are judged again.',
    tags: ['rules'],
    params: ProfileParams,
    body: NewVersion,
    response: { 201: Profile },
  },
  ['profile.shipped', 'profile.tooManyVersions', ...RULE_CODES],
)
const overrides = operation(
  {
    operationId: 'listProfileOverrides',
    summary: 'Where other rules hold than the profile says',
    tags: ['rules'],
    querystring: Type.Object({ ...paging, facilityId: Type.Optional(Id) }, closed),
    response: { 200: page(Override) },
  },
  ['resource.notFound'],
)
const override = operation(
  {
    operationId: 'setProfileOverride',
    summary: 'Let a facility and all below it have other rules than a profile says',
    description:
      'The nearest override up the tree holds. `replacement: null` ends it. Readings from `from` on are judged again.',
    tags: ['rules'],
    body: NewOverride,
    response: { 200: Override },
  },
  ['resource.notFound'],
)

export const profileRoutes: FastifyPluginAsyncTypebox<RouteDeps> = async (app, deps) => {
  app.get('/profiles', { schema: list }, async ({ query, caller }) => {
    const { cursor, limit = LIMIT_DEFAULT } = query
    const asked = { scope: caller.scope, after: decodeCursor(cursor), limit: limit + 1 }
    const rows = await listProfiles(deps.db, asked)
    const shown = rows.slice(0, limit)
    return { items: shown.map(profileView), nextCursor: cursorAfter(rows, shown.at(-1)?.code, limit) }
  })
  app.get('/profiles/:id', { schema: get }, async ({ params, caller }) =>
    getProfile(deps.db, caller, params.id),
  )
  app.post('/profiles', { schema: create }, async (request, reply) =>
    once(deps, request, reply, { status: 201 }, (trx) =>
      createProfile(writingOf(deps, request, trx), request.body),
    ),
  )
  app.post('/profiles/:id/versions', { schema: publish }, async (request, reply) => {
    const { id } = request.params
    const after = await once(deps, request, reply, { status: 201 }, (trx) =>
      publishVersion(writingOf(deps, request, trx), id, request.body),
    )
    await tellRulesChanged(deps, await listReaches(deps.db, id))
    return after
  })
  app.get('/profile-overrides', { schema: overrides }, async ({ query, caller }) => {
    const { cursor, facilityId, limit = LIMIT_DEFAULT } = query
    const under = await pathOf(deps.db, caller, facilityId)
    const asked = { scope: caller.scope, under, after: positionOf(cursor), limit: limit + 1 }
    const rows = await listOverrides(deps.db, asked)
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const position = last && `${last.facilityId}.${last.fromAt}.${last.profile}`
    return { items: shown.map(overrideView), nextCursor: cursorAfter(rows, position, limit) }
  })
  app.post('/profile-overrides', { schema: override }, async (request, reply) => {
    const after = await once(deps, request, reply, { status: 200 }, (trx) =>
      setOverride(writingOf(deps, request, trx), request.body),
    )
    const { profile, facilityId } = request.body
    const under = (await pathOf(deps.db, request.caller, facilityId)) ?? ''
    await tellRulesChanged(deps, [{ profile, under }])
    return after
  })
}

function cursorAfter(rows: readonly unknown[], position: string | undefined, limit: number): string | null {
  return rows.length > limit && position !== undefined ? encodeCursor(position) : null
}

function positionOf(
  cursor: string | undefined,
): Pick<ProfileOverrideTable, 'facilityId' | 'profile' | 'fromAt'> | undefined {
  const text = decodeCursor(cursor)
  if (text === undefined) return undefined
  const match = /^([0-9a-f-]{36})\.(\d{1,15})\.(.+)$/.exec(text)
  if (!match) throw new CodedError('request.invalid', 'cursor is not one that this list has given.')
  return { facilityId: match[1] ?? '', fromAt: Number(match[2]), profile: match[3] ?? '' }
}
