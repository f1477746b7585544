import type { Rule } from './rule.ts'

/** A profile whose rules hold for every piece of equipment, beside those of its own. */
export const EVERYWHERE = 'everywhere'

/** What holds in [from, to) of event time; infinite where unbounded. */
export interface Span<T> {
  readonly from: number
  readonly to: number
  readonly value: T
}

/** The spans of `under` with `over` laid on top: where both say something, what lies on top holds. In order of time. */
export function overlay<T>(under: readonly Span<T>[], over: Span<T>): Span<T>[] {
  if (over.from >= over.to) return [...under]
  const left = under.map((span) => ({ ...span, to: Math.min(span.to, over.from) }))
  const right = under.map((span) => ({ ...span, from: Math.max(span.from, over.to) }))
  return [...left, over, ...right].filter(({ from, to }) => from < to).toSorted((a, b) => a.from - b.from)
}

/** A version of a profile, and its rules with the time zone of the place that they are for. */
export interface Version {
  readonly version: number
  readonly validFrom: number | null
  readonly validTo: number | null
  readonly rules: readonly Rule[]
}

/** From `fromAt` on `replacement` holds in place of `profile`; null: it no longer does. */
export interface Override {
  readonly profile: string
  readonly fromAt: number
  readonly replacement: string | null
}

/** What a piece of equipment is, and was. */
export interface Equipped {
  readonly profile: string
  /** Which profile it had until when, in order of time. */
  readonly before: readonly { readonly untilAt: number; readonly profile: string }[]
  /** Of each facility that it stands in, from the top of the tree down. */
  readonly overrides: readonly (readonly Override[])[]
}

/** The profiles whose rules hold for a piece of equipment, and when: its own and the one for everything, each replaced where the nearest facility says so. */
export function profilesOf({ profile, before, overrides }: Equipped): Span<string>[] {
  const own: Span<string>[] = []
  let from = -Infinity
  for (const past of [...before, { untilAt: Infinity, profile }]) {
    if (past.untilAt > from) own.push({ from, to: past.untilAt, value: past.profile })
    from = past.untilAt
  }
  return [...own, { from: -Infinity, to: Infinity, value: EVERYWHERE }].flatMap((span) =>
    replaced(span, overrides),
  )
}

/** What was before when equipment is given a profile from a moment on; what it was said to be after that is forgotten. */
export function assignFrom(
  { profile, before }: Pick<Equipped, 'profile' | 'before'>,
  next: string,
  from: number,
): Equipped['before'] {
  const kept = before.filter(({ untilAt }) => untilAt < from)
  const until = before.find(({ untilAt }) => untilAt >= from)?.profile ?? profile
  return from <= 0 || until === next ? kept : [...kept, { untilAt: from, profile: until }]
}

// The nearest facility comes last, and so lies on top.
function replaced(span: Span<string>, overrides: Equipped['overrides']): Span<string>[] {
  let spans: Span<string>[] = [span]
  for (const ofFacility of overrides) {
    const rows = ofFacility
      .filter((row) => row.profile === span.value)
      .toSorted((a, b) => a.fromAt - b.fromAt)
    for (const [index, { fromAt, replacement }] of rows.entries()) {
      if (replacement === null) continue
      const from = Math.max(span.from, fromAt <= 0 ? -Infinity : fromAt)
      const to = Math.min(span.to, rows[index + 1]?.fromAt ?? Infinity)
      spans = overlay(spans, { from, to, value: replacement })
    }
  }
  return spans
}

/** At each moment the newest version that is valid then. */
export function versionsIn(versions: readonly Version[]): Span<Version>[] {
  let spans: Span<Version>[] = []
  for (const value of versions.toSorted((a, b) => a.version - b.version))
    spans = overlay(spans, { from: value.validFrom ?? -Infinity, to: value.validTo ?? Infinity, value })
  return spans
}

/**
 * The rules that hold for a piece of equipment, each cut to when it does. A rule that holds without a break is there once, also when the version or
 * the profile changed in between; one that was away and came back is there twice.
 * @returns by id, then by time
 */
export function resolveRules(
  equipped: Equipped,
  versionsOf: (profile: string) => readonly Span<Version>[],
): Rule[] {
  const held = new Map<string, { rule: Rule; spans: Span<null>[] }>()
  for (const { from, to, value: profile } of profilesOf(equipped))
    for (const span of versionsOf(profile))
      for (const rule of span.value.rules) {
        const one = held.get(rule.id) ?? { rule, spans: [] }
        held.set(rule.id, one)
        one.spans.push({
          from: Math.max(from, span.from, rule.validFrom ?? -Infinity),
          to: Math.min(to, span.to, rule.validTo ?? Infinity),
          value: null,
        })
      }
  return [...held.values()]
    .flatMap(({ rule, spans }) => joined(spans).map((span) => limited(rule, span)))
    .toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : (a.validFrom ?? 0) - (b.validFrom ?? 0)))
}

function joined(spans: readonly Span<null>[]): Span<null>[] {
  const all: Span<null>[] = []
  for (const span of spans.filter(({ from, to }) => from < to).toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && span.from <= last.to) all[all.length - 1] = { ...last, to: Math.max(last.to, span.to) }
    else all.push(span)
  }
  return all
}

function limited(rule: Rule, { from, to }: Span<null>): Rule {
  const validFrom = from === -Infinity ? null : from
  const validTo = to === Infinity ? null : to
  // Rules that always hold, which is most, are shared by all that have them.
  return validFrom === rule.validFrom && validTo === rule.validTo ? rule : { ...rule, validFrom, validTo }
}
