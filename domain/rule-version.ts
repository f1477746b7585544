import type { Rule } from './rule.ts'

/** A rule that no version has yet. */
export type RuleDraft = Omit<Rule, 'id' | 'profile' | 'version'>

/** What a rule says, for comparing: all but its name in the system and the time zone, which is that of the place. */
export function contentOf(rule: RuleDraft): string {
  const { window, activeHours } = rule
  return JSON.stringify([
    rule.name,
    rule.quantity,
    rule.measure,
    rule.comparator,
    rule.threshold,
    rule.mode,
    rule.durationMs,
    window?.kind === 'sliding' ? window.ms : (window?.kind ?? null),
    rule.hysteresis,
    rule.gapMsMax,
    rule.severity,
    activeHours && [activeHours.from, activeHours.to],
    rule.validFrom,
    rule.validTo,
  ])
}

/** Whether two versions say the same, in whatever order. */
export function isSameVersion(a: readonly RuleDraft[], b: readonly RuleDraft[]): boolean {
  const text = (rules: readonly RuleDraft[]) => rules.map(contentOf).toSorted().join('\n')
  return text(a) === text(b)
}

/**
 * The rules of a new version. A rule of the version before that did not change stays the rule that it is: what it was counting goes on, and
 * its open breaches stay open.
 * @param before the rules of the version before
 */
export function rulesOfVersion(
  profile: string,
  version: number,
  drafts: readonly RuleDraft[],
  before: readonly Rule[],
): Rule[] {
  const known = new Map(before.map((rule) => [contentOf(rule), rule]))
  // Names of profiles have no dots: no two rules get the same.
  return drafts.map(
    (draft, index) =>
      known.get(contentOf(draft)) ?? { ...draft, id: `${profile}.${version}.${index + 1}`, profile, version },
  )
}
