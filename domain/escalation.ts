import type { Level, Role } from './role.ts'
import type { Severity } from './rule.ts'
import type { WorkingHours } from './working-hours.ts'

/** Kinds of channel that reach a person by an address of theirs. */
export const CHANNEL_KINDS = ['smtp', 'sms', 'whatsapp', 'telegram', 'push'] as const
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

/** Who hears of a breach, one level after the other, until somebody acknowledges it. */
export interface EscalationPolicy {
  readonly levels: readonly EscalationLevel[]
  /** For the levels that keep them. */
  readonly workingHours: WorkingHours
  /** Between reminders until somebody acknowledges; 0: none; null: as `REMINDER_EVERY_MS` says. */
  readonly reminderMinutes: number | null
  /** Reminders of one breach to one receiver; null: 12. */
  readonly remindersMax: number | null
  /** Nothing is sent; what would have been sent is kept. */
  readonly isTest: boolean
}

export interface EscalationLevel {
  /** From when the level before was told (for the first: from the breach) until this one is, if nobody has acknowledged. */
  readonly delayMinutes: number
  /** Told in working hours only. */
  readonly keepsWorkingHours: boolean
  readonly who: readonly Receivers[]
}

export type Receivers =
  /** `facility` is the place of the equipment, whatever its level; the others are the places of that level above it. */
  | { readonly kind: 'role'; readonly role: Role; readonly level: Level }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'onCall'; readonly onCallListId: string }

export const WORKING_HOURS: WorkingHours = { days: [1, 2, 3, 4, 5], from: '08:00', to: '16:00' }

const HERE = at('facility', 'district')

/**
 * What holds where nobody has made a policy. Of what is critical the facility and its district hear at once, of a warning the facility alone: a
 * district has hundreds of devices. Unless somebody acknowledges, those above hear of it later, and at once where nobody below can be reached.
 */
export const DEFAULT_POLICIES: Readonly<Record<Severity, EscalationPolicy>> = {
  critical: shipped(level(0, HERE), level(120, at('province')), level(1_440, at('country'))),
  warning: shipped(
    level(0, at('facility')),
    level(1_440, at('district')),
    level(2_880, at('province')),
    level(7_200, at('country')),
  ),
}

function at(...levels: readonly Level[]): Receivers[] {
  return levels.flatMap((one) => [
    { kind: 'role', role: 'operator', level: one },
    { kind: 'role', role: 'manager', level: one },
  ])
}

function level(delayMinutes: number, who: readonly Receivers[]): EscalationLevel {
  return { delayMinutes, keepsWorkingHours: false, who }
}

function shipped(...levels: readonly EscalationLevel[]): EscalationPolicy {
  return {
    levels,
    workingHours: WORKING_HOURS,
    reminderMinutes: null,
    remindersMax: null,
    isTest: false,
  }
}
