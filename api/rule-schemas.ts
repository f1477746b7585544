import { Type, type Static } from 'typebox'
import type { RuleTable } from '../db/schema-rules.ts'
import type { ErrorCode } from '../domain/errors.ts'
import { QUANTITY_NAMES } from '../domain/reading.ts'
import type { RuleDraft } from '../domain/rule-version.ts'
import { RULE_DEFAULTS } from '../domain/shipped-rules.ts'
import { closed, Name, nullable, Time } from './schemas.ts'
import { parseTime, toRfc3339OrNull } from './time.ts'

const MEASURES = ['value', 'ratePerHour', 'stuck', 'jump'] as const
const COMPARATORS = ['gt', 'gte', 'lt', 'lte'] as const
const MODES = ['instant', 'consecutive', 'cumulative'] as const
const SEVERITIES = ['warning', 'critical'] as const
/** Longest duration, window or gap: a month and a day. */
const MS_MAX = 32 * 86_400_000

const TimeOfDay = Type.String({
  pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
  description: '`HH:MM`, on the clocks of the facility.',
})

/** What rules can be refused for. */
export const RULE_CODES: readonly ErrorCode[] = [
  'profile.validityEmpty',
  'rule.neverViolated',
  'rule.alwaysViolated',
  'rule.measureUnsuitable',
  'rule.durationMissing',
  'rule.durationUnused',
  'rule.windowMissing',
  'rule.windowUnused',
  'rule.durationExceedsWindow',
  'rule.hysteresisUnused',
  'rule.hysteresisTooLarge',
  'rule.activeHoursEmpty',
  'rule.activeHoursTooShort',
  'rule.validityEmpty',
  'rule.validityTooShort',
  'rule.duplicate',
  'rule.contradictory',
]

export const RuleOut = Type.Object(
  {
    id: Type.String({ description: 'Names what the rule says for ever: one that changes gets a new id.' }),
    profile: Type.String(),
    version: Type.Integer({ description: 'The first version of the profile that has it.' }),
    name: Type.String(),
    quantity: Type.String(),
    measure: Type.Enum([...MEASURES]),
    comparator: Type.Enum([...COMPARATORS]),
    threshold: Type.Number(),
    mode: Type.Enum([...MODES]),
    durationMs: Type.Integer(),
    window: nullable(Type.Object({ kind: Type.Enum(['sliding', 'day']), ms: nullable(Type.Integer()) })),
    hysteresis: Type.Number(),
    gapMsMax: Type.Integer(),
    severity: Type.Enum([...SEVERITIES]),
    activeHours: nullable(Type.Object({ from: TimeOfDay, to: TimeOfDay })),
    validFrom: nullable(Time),
    validTo: nullable(Time),
  },
  { title: 'Rule' },
)

export const NewRule = Type.Object(
  {
    name: Name,
    quantity: Type.Enum([...QUANTITY_NAMES]),
    measure: Type.Optional(
      Type.Enum([...MEASURES], {
        description: 'What is held against the threshold: the value (the default), or how it moves.',
      }),
    ),
    comparator: Type.Enum([...COMPARATORS]),
    threshold: Type.Number(),
    mode: Type.Enum([...MODES]),
    durationMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MS_MAX, description: 'Not for `instant`.' }),
    ),
    window: Type.Optional(
      nullable(
        Type.Union([
          Type.Object(
            { kind: Type.Literal('sliding'), ms: Type.Integer({ minimum: 1, maximum: MS_MAX }) },
            closed,
          ),
          Type.Object({ kind: Type.Literal('day') }, closed),
        ]),
      ),
    ),
    hysteresis: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1e9,
        description: 'How far back inside the limit a value must be before a violation ends. Default 0.',
      }),
    ),
    gapMsMax: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MS_MAX,
        description: 'A silence longer than this inside a violation does not count. Default 2 hours.',
      }),
    ),
    severity: Type.Enum([...SEVERITIES]),
    activeHours: Type.Optional(
      nullable(
        Type.Object(
          { from: TimeOfDay, to: TimeOfDay },
          { ...closed, description: 'When of the day it holds; over midnight when `to` is earlier.' },
        ),
      ),
    ),
    validFrom: Type.Optional(nullable(Time)),
    validTo: Type.Optional(nullable(Time)),
  },
  { ...closed, title: 'NewRule' },
)

export function ruleView(row: RuleTable): Static<typeof RuleOut> {
  return {
    id: row.id,
    profile: row.profile,
    version: row.version,
    name: row.name,
    quantity: row.quantity,
    measure: row.measure,
    comparator: row.comparator,
    threshold: row.threshold,
    mode: row.mode,
    durationMs: row.durationMs,
    window: row.windowKind === null ? null : { kind: row.windowKind, ms: row.windowMs },
    hysteresis: row.hysteresis,
    gapMsMax: row.gapMsMax,
    severity: row.severity,
    activeHours:
      row.activeFrom === null || row.activeTo === null ? null : { from: row.activeFrom, to: row.activeTo },
    validFrom: toRfc3339OrNull(row.validFrom),
    validTo: toRfc3339OrNull(row.validTo),
  }
}

/** @param timeZone of the place that it is tried for; what is published has none */
export function draftOf(body: Static<typeof NewRule>, timeZone = 'UTC'): RuleDraft {
  const { window, activeHours, validFrom, validTo, durationMs = 0, ...rest } = body
  return {
    ...RULE_DEFAULTS,
    ...rest,
    durationMs,
    window: window?.kind === 'day' ? { kind: 'day', timeZone } : (window ?? null),
    activeHours: activeHours ? { ...activeHours, timeZone } : null,
    validFrom: timeOrNull(validFrom, 'validFrom'),
    validTo: timeOrNull(validTo, 'validTo'),
  }
}

export function timeOrNull(text: string | null | undefined, name: string): number | null {
  return text === null || text === undefined ? null : parseTime(text, name)
}
