import { test } from 'tap'
import { counterpartsOf, runBack } from '../../domain/stock-card.ts'

test('counterparts', async (t) => {
  const entries = [-20, 17, 3, -5, 5, 0, 0].map((doses, line) => ({ line, doses }))
  const found = counterpartsOf(entries)
  const lines = (line: number) => found.get(line)?.map((side) => side.line)
  t.same(lines(0), [1, 2], 'a session: what was given and what was wasted')
  t.same(lines(1), [0])
  t.same(lines(3), [4], 'the next line of the event is another matter')
  t.same(lines(5), [], 'a count that found what was expected')
})

test('the running balance, from the newest back', async (t) => {
  const numbers = runBack([{ doses: -3 }, { doses: 10 }, { doses: 0 }], 12)
  t.same(
    numbers.map(({ opening, doses, closing }) => [opening, doses, closing]),
    [
      [15, -3, 12],
      [5, 10, 15],
      [5, 0, 5],
    ],
  )
  t.same(runBack([], 7), [])
})
