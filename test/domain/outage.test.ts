import { test } from 'tap'
import { decideOutage, isOutageOver, SITE_OUTAGE, type Unit } from '../../domain/outage.ts'

const HOUR = 3_600_000
const units = (state: Unit['state'], count: number, since = 0): Unit[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${state} ${since} ${index}`, state, since }))

test('when failures at one place are one outage', async (t) => {
  const table: readonly [string, Unit[], string, number?][] = [
    ['nothing', units('up', 9), 'none'],
    ['one of nine', [...units('down', 1), ...units('up', 8)], 'none'],
    ['two of two are told one by one', units('down', 2), 'none'],
    ['three of three', units('down', 3), 'outage', 3],
    ['three of six: half', [...units('down', 3), ...units('up', 3)], 'outage', 3],
    ['three of seven', [...units('down', 3), ...units('up', 4)], 'none'],
    ['one, and the others are late too', [...units('down', 1), ...units('suspect', 5)], 'wait'],
    ['one, and one other is late', [...units('down', 1), ...units('suspect', 1), ...units('up', 7)], 'none'],
    ['late ones alone', units('suspect', 9), 'none'],
    ['within two hours', [...units('down', 2), ...units('down', 1, 2 * HOUR)], 'outage', 3],
    ['over more than two hours', [...units('down', 2), ...units('down', 1, 2 * HOUR + 1)], 'none'],
    [
      'the rest of a place with dead devices',
      [...units('down', 9), ...units('down', 3, 99 * HOUR)],
      'outage',
      3,
    ],
    ['one more where all others are dead', [...units('down', 9), ...units('down', 1, 99 * HOUR)], 'none'],
  ]
  for (const [name, given, kind, members] of table) {
    const decision = decideOutage(given, SITE_OUTAGE)
    t.equal(decision.kind, kind, name)
    if (decision.kind === 'outage') t.equal(decision.members.length, members, name)
  }
})

test('an outage begins with the first that failed, and is over when most are back', async (t) => {
  const decision = decideOutage([...units('down', 2, 5), ...units('down', 2, 3)], SITE_OUTAGE)
  t.match(decision, { kind: 'outage', startAt: 3 })
  for (const [members, back, isOver] of [
    [3, 2, false],
    [3, 3, true],
    [4, 3, true],
    [16, 11, false],
    [16, 12, true],
  ] as const)
    t.equal(isOutageOver(members, back, SITE_OUTAGE), isOver, `${back} of ${members}`)
})
