import * as fc from 'fast-check'
import { test } from 'tap'
import { DEFAULT_POLICIES, type EscalationLevel, type EscalationPolicy } from '../../domain/escalation.ts'
import { plan, type Planned, type Situation, type Target, type Told } from '../../notifier/plan.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Friday, 2026-03-13. */
const FRIDAY = Date.UTC(2026, 2, 13)
const HOURS = { days: [1, 2, 3, 4, 5], from: '08:00', to: '16:00' }

const person = (name: string, level: number): Target => ({
  channel: 'smtp',
  destination: 'mail',
  recipient: `${name}@example.org`,
  userId: name,
  level,
})
const LEVELS = [[person('nurse', 0)], [person('district', 1)], [person('province', 2)]]

const level = (delayMinutes: number, keepsWorkingHours = false): EscalationLevel => ({
  delayMinutes,
  keepsWorkingHours,
  who: [],
})
const policy = (...levels: EscalationLevel[]): EscalationPolicy => ({
  ...DEFAULT_POLICIES.critical,
  workingHours: HOURS,
  levels,
})

/** A breach, and a notifier that looks at it whenever the test says; what it makes is sent at once unless `send` says otherwise. */
function createCase(given: Partial<Situation> = {}) {
  const made: Told[] = []
  const situation: Situation = {
    state: 'open',
    startAt: FRIDAY,
    endAt: null,
    acknowledgedAt: null,
    recordedAt: FRIDAY,
    isRecent: true,
    policy: policy(level(0), level(30), level(60)),
    timeZone: 'UTC',
    fixed: [],
    levels: LEVELS,
    made,
    reminderEveryMs: 0,
    remindersMax: 12,
    now: FRIDAY,
    ...given,
  }
  function look(now: number, change: Partial<Situation> = {}, send = sentAtOnce): readonly Planned[] {
    const then = { ...situation, ...change }
    const { planned } = plan({ ...then, made, now })
    made.push(...planned.map((one) => ({ ...one, ...send(one, now, then) })))
    made.sort((a, b) => a.createdAt - b.createdAt)
    return planned
  }
  /** Looks every minute, and says who was told what at which minute after the beginning. */
  function watch(from: number, to: number, change: Partial<Situation> = {}): string[] {
    const told: string[] = []
    for (let now = from; now <= to; now += MINUTE_MS)
      for (const { step, userId } of look(now, change))
        told.push(`${(now - situation.recordedAt) / MINUTE_MS} ${step} ${String(userId)}`)
    return told
  }
  return { look, watch, made, situation }
}

type Outcome = Pick<Told, 'attempts' | 'status' | 'sentAt' | 'saidState' | 'saidEndAt'>

const sentAtOnce = (one: Planned, now: number, { state, endAt }: Situation): Outcome => ({
  attempts: one.status === 'pending' ? 1 : 0,
  status: one.status === 'pending' ? 'sent' : one.status,
  sentAt: one.status === 'pending' ? now : null,
  saidState: one.status === 'pending' ? state : one.saidState,
  saidEndAt: one.status === 'pending' ? endAt : null,
})
const never = (one: Planned): Outcome => ({
  attempts: 1,
  status: one.status,
  sentAt: null,
  saidState: one.saidState,
  saidEndAt: null,
})
const failed = (): Outcome => ({
  attempts: 1,
  status: 'failed',
  sentAt: null,
  saidState: 'open',
  saidEndAt: null,
})

test('level after level, as long as nobody acknowledges', async (t) => {
  const { watch } = createCase()
  t.same(watch(FRIDAY, FRIDAY + 3 * HOUR_MS), ['0 opened nurse', '30 opened district', '90 opened province'])
})

test('an acknowledgement ends it, at whatever level it was', async (t) => {
  const { watch } = createCase({ reminderEveryMs: HOUR_MS })
  t.same(watch(FRIDAY, FRIDAY + 40 * MINUTE_MS), ['0 opened nurse', '30 opened district'])
  const acknowledgedAt = FRIDAY + 40 * MINUTE_MS
  t.same(watch(acknowledgedAt, acknowledgedAt + 20 * HOUR_MS, { acknowledgedAt }), [])
})

test('a first level that waits: nobody hears of what ends before, nor of what is acknowledged before', async (t) => {
  const waits = { policy: policy(level(15), level(30)) }
  t.same(createCase(waits).watch(FRIDAY, FRIDAY + HOUR_MS), ['15 opened nurse', '45 opened district'])
})

test('a level whose receivers fail for good, has nobody, or nobody with an address: the next one at once', async (t) => {
  const failing = createCase()
  failing.look(FRIDAY, {}, failed)
  t.match(failing.look(FRIDAY + MINUTE_MS), [{ userId: 'district', step: 'opened' }])
  const empty = createCase({ levels: [[], [], LEVELS[2] ?? []] })
  t.match(empty.look(FRIDAY), [{ userId: 'province', step: 'opened' }])
  const unreachable: Target = { ...person('nurse', 0), channel: 'none', destination: 'none' }
  const mute = createCase({ levels: [[unreachable], LEVELS[1] ?? [], []] })
  t.match(mute.look(FRIDAY), [
    { userId: 'nurse', status: 'failed', lastError: /no address/ },
    { userId: 'district', status: 'pending' },
  ])
  t.same(mute.look(FRIDAY + MINUTE_MS), [], 'and it is said once')
})

test('one of two is enough: a level counts as told while anybody of it may still be reached', async (t) => {
  const other = person('other', 0)
  const two = createCase({ levels: [[person('nurse', 0), other], ...LEVELS.slice(1)] })
  two.look(FRIDAY, {}, (one) => (one.userId === 'nurse' ? failed() : never(one)))
  t.same(two.watch(FRIDAY, FRIDAY + 31 * MINUTE_MS), ['30 opened district'])
})

test('who is at two levels is told at the first, and the levels above still have their turn', async (t) => {
  const both = { levels: [LEVELS[0] ?? [], [person('nurse', 1)], LEVELS[2] ?? []] }
  t.same(createCase(both).watch(FRIDAY, FRIDAY + 3 * HOUR_MS), ['0 opened nurse', '60 opened province'])
})

test('over a weekend: who keeps working hours is told on Monday, and the next level counts from there', async (t) => {
  const zones = [
    { timeZone: 'Europe/Paris', monday: Date.UTC(2026, 2, 16, 7) },
    { timeZone: 'America/New_York', monday: Date.UTC(2026, 2, 16, 12) },
    { timeZone: 'Asia/Jakarta', monday: Date.UTC(2026, 2, 16, 1) },
  ]
  const saturday = Date.UTC(2026, 2, 14, 10)
  for (const { timeZone, monday } of zones) {
    const kept = createCase({
      recordedAt: saturday,
      timeZone,
      policy: policy(level(0, true), level(30, true), level(60)),
    })
    const minutes = (monday - saturday) / MINUTE_MS
    t.same(
      kept.watch(saturday, monday + 2 * HOUR_MS),
      [`${minutes} opened nurse`, `${minutes + 30} opened district`, `${minutes + 90} opened province`],
      timeZone,
    )
  }
  t.same(
    createCase({ recordedAt: saturday, timeZone: 'Europe/Paris' }).watch(saturday, saturday),
    ['0 opened nurse'],
    'critical does not wait',
  )
})

test('Friday afternoon: a delay that runs out at night is over when work begins', async (t) => {
  const friday = Date.UTC(2026, 2, 13, 14, 50)
  const paris = createCase({
    recordedAt: friday,
    timeZone: 'Europe/Paris',
    policy: policy(level(0, true), level(30, true)),
  })
  const monday = (Date.UTC(2026, 2, 16, 7) - friday) / MINUTE_MS
  t.same(paris.watch(friday, friday + 70 * HOUR_MS), ['0 opened nurse', `${monday} opened district`])
})

test('over the changes of the clocks: eight in the morning is eight, a delay is as long as ever', async (t) => {
  const cases = [
    // Clocks go forward on Sunday, 29 March, and back on Sunday, 25 October.
    { timeZone: 'Europe/Paris', saturday: Date.UTC(2026, 2, 28, 9), monday: Date.UTC(2026, 2, 30, 6) },
    { timeZone: 'Europe/Paris', saturday: Date.UTC(2026, 9, 24, 9), monday: Date.UTC(2026, 9, 26, 7) },
    // 8 March, and 1 November.
    { timeZone: 'America/New_York', saturday: Date.UTC(2026, 2, 7, 15), monday: Date.UTC(2026, 2, 9, 12) },
    { timeZone: 'America/New_York', saturday: Date.UTC(2026, 9, 31, 15), monday: Date.UTC(2026, 10, 2, 13) },
  ]
  for (const { timeZone, saturday, monday } of cases) {
    const at = (monday - saturday) / MINUTE_MS
    const kept = createCase({ recordedAt: saturday, timeZone, policy: policy(level(0, true)) })
    t.same(kept.watch(monday - HOUR_MS, monday + HOUR_MS), [`${at} opened nurse`], timeZone)
    const night = monday - 2 * 24 * HOUR_MS + 15 * HOUR_MS
    const always = createCase({ recordedAt: night, timeZone })
    t.same(always.watch(night, night + 5 * HOUR_MS), [
      '0 opened nurse',
      '30 opened district',
      '90 opened province',
    ])
  }
})

test('reminders: until acknowledged, no more than the policy allows, in working hours where a level keeps them', async (t) => {
  const reminding = { ...policy(level(0)), reminderMinutes: 60, remindersMax: 3 }
  const three = createCase({ policy: reminding, levels: LEVELS.slice(0, 1) })
  t.same(three.watch(FRIDAY, FRIDAY + 10 * HOUR_MS), [
    '0 opened nurse',
    '60 reminder nurse',
    '120 reminder nurse',
    '180 reminder nurse',
  ])
  const afternoon = Date.UTC(2026, 2, 13, 15, 30)
  const kept = { ...reminding, levels: [level(0, true)] }
  const monday = createCase({ recordedAt: afternoon, policy: kept, levels: LEVELS.slice(0, 1) })
  t.same(monday.watch(afternoon, afternoon + 66 * HOUR_MS), [
    '0 opened nurse',
    `${(Date.UTC(2026, 2, 16, 8) - afternoon) / MINUTE_MS} reminder nurse`,
    `${(Date.UTC(2026, 2, 16, 9) - afternoon) / MINUTE_MS} reminder nurse`,
  ])
})

const names = (planned: readonly Planned[]) => planned.map((one) => `${one.step} ${String(one.userId)}`)

test('over: those who were told hear it once; the next time it begins at the first level again', async (t) => {
  const { look, watch } = createCase()
  watch(FRIDAY, FRIDAY + 31 * MINUTE_MS)
  const over = FRIDAY + HOUR_MS
  t.same(names(look(over, { state: 'ended' })), ['recovered nurse', 'recovered district'])
  t.same(look(over + 1, { state: 'ended' }), [])
  t.same(watch(over + HOUR_MS, over + 2 * HOUR_MS), ['120 opened nurse', '150 opened district'])
})

test('late data moves an end that was said: said anew once it is worth it, to those who were told, as often as it moves', async (t) => {
  const { look } = createCase()
  const over = (hours: number) => ({ state: 'ended', endAt: FRIDAY + hours * HOUR_MS }) as const
  look(FRIDAY)
  t.same(names(look(FRIDAY + 2 * HOUR_MS, over(2))), ['recovered nurse'])
  const after = FRIDAY + 3 * HOUR_MS
  t.same(look(after, over(2.9)), [], 'less than an hour')
  t.same(names(look(after, over(3))), ['corrected nurse'], 'exactly an hour')
  t.same(look(after, over(3)), [], 'once')
  t.same(names(look(after, over(10), never)), ['corrected nurse'])
  t.same(look(after, over(20)), [], 'who has not been sent it yet reads the right one')
  const long = createCase()
  long.look(FRIDAY)
  long.look(FRIDAY + 40 * HOUR_MS, over(40))
  t.same(long.look(after, over(49.9)), [], 'less than a quarter')
  t.same(names(long.look(after, over(50))), ['corrected nurse'])
  t.same(names(long.look(after, over(30))), ['corrected nurse'], 'also when it was shorter')
  t.same(
    long.look(after, { state: 'withdrawn' }).map(({ step }) => step),
    ['withdrawn'],
  )
})

test('closed: said to those who believe that it is open, and to nobody who heard that it is over', async (t) => {
  const open = createCase()
  open.look(FRIDAY)
  t.match(open.look(FRIDAY + HOUR_MS, { state: 'closed' }), [{ step: 'closed', userId: 'nurse' }])
  t.same(open.look(FRIDAY + HOUR_MS, { state: 'closed' }), [])
  t.match(open.look(FRIDAY + HOUR_MS, { state: 'withdrawn' }), [{ step: 'withdrawn', userId: 'nurse' }])
  const over = createCase()
  over.look(FRIDAY)
  over.look(FRIDAY + HOUR_MS, { state: 'ended' })
  t.same(over.look(FRIDAY + 2 * HOUR_MS, { state: 'closed' }), [])
})

test('what began and ended while nobody was at work: one message in the morning that says both', async (t) => {
  const friday = Date.UTC(2026, 2, 13, 20)
  const kept = createCase({ recordedAt: friday, policy: policy(level(0, true)) })
  t.same(kept.look(friday), [])
  t.same(kept.look(friday + HOUR_MS, { state: 'ended' }), [])
  t.match(kept.look(Date.UTC(2026, 2, 16, 8), { state: 'ended' }), [{ step: 'opened', userId: 'nurse' }])
  t.same(kept.look(Date.UTC(2026, 2, 16, 9), { state: 'ended' }), [])
})

test('test mode: everything as it would be, and nothing of it is sent; afterwards it is said in earnest', async (t) => {
  const quiet = { policy: { ...policy(level(0), level(30)), isTest: true } }
  const { look, watch, made } = createCase()
  t.same(watch(FRIDAY, FRIDAY + HOUR_MS, quiet), ['0 opened nurse', '30 opened district'])
  t.ok(made.every(({ status }) => status === 'muted'))
  t.match(look(FRIDAY + HOUR_MS), [{ step: 'opened', userId: 'nurse', status: 'pending', sequence: 1 }])
  const muted = createCase(quiet)
  muted.look(FRIDAY)
  t.match(muted.look(FRIDAY + HOUR_MS, { state: 'ended' }), [{ step: 'recovered', status: 'muted' }])
  const after = createCase()
  after.look(FRIDAY, quiet)
  t.match(after.look(FRIDAY + HOUR_MS, { state: 'withdrawn', policy: policy(level(0)) }), [
    { step: 'withdrawn', status: 'muted' },
  ])
})

const anyLevel = fc.record({
  delayMinutes: fc.integer({ min: 0, max: 600 }),
  keepsWorkingHours: fc.boolean(),
  who: fc.constant([]),
})
const anyCase = fc.record({
  levels: fc.array(anyLevel, { minLength: 1, maxLength: 3 }),
  timeZone: fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York', 'Asia/Jakarta'),
  begun: fc.integer({ min: Date.UTC(2026, 1, 20), max: Date.UTC(2026, 11, 1) }),
  /** How long after the one before a notifier looks. */
  looks: fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 40 }),
  states: fc.array(fc.constantFrom('open', 'open', 'open', 'ended', 'closed', 'withdrawn'), {
    minLength: 40,
    maxLength: 40,
  }),
  outcome: fc.constantFrom('sent', 'waiting', 'failed'),
})
const OUTCOMES = { sent: sentAtOnce, waiting: never, failed }

test('properties: a second look, or a second notifier, adds nothing; no two have the same identity', async (t) => {
  fc.assert(
    fc.property(anyCase, ({ levels, timeZone, begun, looks, states, outcome }) => {
      const { look, made } = createCase({
        recordedAt: begun,
        timeZone,
        policy: { ...policy(...levels), reminderMinutes: 45 },
      })
      let now = begun
      for (const [index, minutes] of looks.entries()) {
        now += minutes * MINUTE_MS
        const state = states[index] ?? 'open'
        look(now, { state }, OUTCOMES[outcome])
        // Nobody's failure is news to the one who looks again; a level that failed is followed by the next.
        if (outcome !== 'failed' && look(now, { state }, OUTCOMES[outcome]).length > 0) return false
      }
      const ids = made.map((one) => `${one.step} ${one.sequence} ${one.destination} ${one.recipient}`)
      return new Set(ids).size === ids.length
    }),
  )
  t.pass()
})

const when = (rows: readonly Told[]) => rows.map((row) => [row.level ?? -1, row.createdAt] as const)

test('properties: however seldom it looks, levels come in order, none early, none twice, and all in the end', async (t) => {
  fc.assert(
    fc.property(anyCase, ({ levels, timeZone, begun, looks }) => {
      const seldom = createCase({ recordedAt: begun, timeZone, policy: policy(...levels) })
      const patient = createCase({ recordedAt: begun, timeZone, policy: policy(...levels) })
      let now = begun
      for (const minutes of looks) {
        now += minutes * MINUTE_MS
        seldom.look(now)
      }
      // Whoever follows what the plan itself says is due tells everybody at the first moment at which that is right.
      let due: number | null = begun
      while (due !== null) {
        const { planned, nextAt } = plan({ ...patient.situation, made: patient.made, now: due })
        patient.look(due)
        due = planned.length === 0 && nextAt === due ? null : nextAt
      }
      const first = new Map(when(patient.made))
      const isOrdered = when(seldom.made).every(([one], index) => one === index)
      const isEarly = when(seldom.made).some(([one, at]) => at < (first.get(one) ?? Infinity))
      return isOrdered && !isEarly && patient.made.length === levels.length
    }),
  )
  t.pass()
})
