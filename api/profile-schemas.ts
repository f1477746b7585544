import { Type, type Static } from 'typebox'
import type { NamedOverride } from '../db/queries/rule-assignment.ts'
import type { PlacedProfile } from '../db/queries/rule-profile.ts'
import type { ProfileOverrideTable, ProfileVersionTable, RuleTable } from '../db/schema-rules.ts'
import { NewRule, RuleOut, ruleView } from './rule-schemas.ts'
import { closed, Id, Name, nullable, Time } from './schemas.ts'
import { toRfc3339, toRfc3339OrNull } from './time.ts'

/** Of one version. */
export const RULES_MAX = 32

export const ProfileCode = Type.String({ minLength: 1, maxLength: 64 })
export const ProfileParams = Type.Object({ id: ProfileCode }, closed)

const Version = Type.Object(
  {
    version: Type.Integer(),
    validFrom: nullable(Time),
    validTo: nullable(Time),
    comment: Type.String(),
    publishedAt: Time,
    publishedBy: Type.Union([Id, Type.Null()], { description: 'Null: it came with the program.' }),
    publishedByName: nullable(Type.String()),
    rules: Type.Array(RuleOut),
  },
  { title: 'ProfileVersion' },
)
const head = {
  id: Type.String({ description: 'What equipment gives as its `profile`.' }),
  name: Type.String(),
  description: Type.String(),
  facilityId: Type.Union([Id, Type.Null()], {
    description: 'For equipment in and below this facility; null: for everybody.',
  }),
  isShipped: Type.Boolean({ description: 'It comes with the program and changes with it only.' }),
  createdAt: Time,
}
export const ProfileHead = Type.Object(head, { title: 'Profile' })
export const Profile = Type.Object(
  {
    ...head,
    versions: Type.Array(Version, {
      description: 'The newest first. At any event time the newest holds that is valid then.',
    }),
  },
  { title: 'ProfileDetail' },
)

const version = {
  validFrom: Type.Optional(
    nullable(
      Type.String({
        description:
          'Event time from which it holds; null: always. Default: now. In the past: what was recorded since is judged again.',
        format: 'date-time',
      }),
    ),
  ),
  validTo: Type.Optional(
    nullable(Type.String({ description: 'Until when; null: for good.', format: 'date-time' })),
  ),
  comment: Type.Optional(Type.String({ maxLength: 2000 })),
  rules: Type.Array(NewRule, { minItems: 1, maxItems: RULES_MAX }),
}
export const NewVersion = Type.Object(version, closed)
export const NewProfile = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,47}$' }),
    name: Name,
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    facilityId: Type.Optional(nullable(Id)),
    ...version,
  },
  closed,
)

export const Override = Type.Object(
  {
    facilityId: Id,
    profile: Type.String(),
    from: Type.Union([Time, Type.Null()], { description: 'Event time from which it holds; null: always.' }),
    replacement: Type.Union([Type.String(), Type.Null()], {
      description: 'Whose rules hold instead; null: from here on there is no override at this facility.',
    }),
    setAt: Time,
    setBy: Id,
    facilityName: Type.String(),
    setByName: nullable(Type.String()),
  },
  { title: 'ProfileOverride' },
)
export const NewOverride = Type.Object(
  {
    facilityId: Id,
    profile: ProfileCode,
    replacement: nullable(ProfileCode),
    from: Type.Optional(
      nullable(
        Type.String({
          description:
            'Event time from which it holds; null: always. Default: now. All that the facility said of this profile from then on is replaced.',
          format: 'date-time',
        }),
      ),
    ),
  },
  closed,
)

export function profileView(row: PlacedProfile): Static<typeof ProfileHead> {
  return {
    id: row.code,
    name: row.name,
    description: row.description,
    facilityId: row.facilityId,
    isShipped: row.isShipped === 1,
    createdAt: toRfc3339(row.createdAt),
  }
}

/** @param names of people, by their ids */
export function versionView(
  row: ProfileVersionTable,
  rules: readonly RuleTable[],
  names: ReadonlyMap<string, string>,
): Static<typeof Version> {
  return {
    version: row.version,
    validFrom: toRfc3339OrNull(row.validFrom),
    validTo: toRfc3339OrNull(row.validTo),
    comment: row.comment,
    publishedAt: toRfc3339(row.publishedAt),
    publishedBy: row.publishedBy,
    publishedByName: names.get(row.publishedBy ?? '') ?? null,
    rules: rules.map(ruleView),
  }
}

export function overrideView({ facilityName, setByName, ...row }: NamedOverride): Static<typeof Override> {
  return { ...overrideFacts(row), facilityName, setByName }
}

/** Without names: those may change. */
export function overrideFacts(row: ProfileOverrideTable) {
  return {
    facilityId: row.facilityId,
    profile: row.profile,
    from: row.fromAt === 0 ? null : toRfc3339(row.fromAt),
    replacement: row.replacement,
    setAt: toRfc3339(row.setAt),
    setBy: row.setBy,
  }
}
