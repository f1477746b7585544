import { test } from 'tap'
import { quantile } from '../../domain/quantile.ts'

test('quantiles lie between the values', async (t) => {
  t.equal(quantile([], 0.5), null)
  t.equal(quantile([7], 0.9), 7)
  t.equal(quantile([1, 2, 3, 10], 0.5), 2.5)
  t.equal(quantile([1, 2, 3], 0.5), 2)
  t.equal(quantile([0, 10], 0.9), 9)
  t.same(
    [0, 1].map((share) => quantile([1, 5, Infinity], share)),
    [1, Infinity],
  )
})
