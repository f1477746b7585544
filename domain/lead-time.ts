const DAY_MS = 86_400_000

/** Days from the submission to the arrival of orders; there is at least one. */
export function leadTimeOf(orders: readonly { readonly submittedAt: number; readonly receivedAt: number }[]) {
  const days = orders
    .map(({ submittedAt, receivedAt }) => (receivedAt - submittedAt) / DAY_MS)
    .toSorted((a, b) => a - b)
  const middle = days.length >> 1
  const upper = days[middle] ?? 0
  return {
    mean: days.reduce((total, one) => total + one, 0) / days.length,
    median: days.length % 2 === 1 ? upper : ((days[middle - 1] ?? 0) + upper) / 2,
    longest: days.at(-1) ?? 0,
  }
}
