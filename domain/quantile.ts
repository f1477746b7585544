/**
 * The value below which a share of the values lie, in between two of them in proportion (0.5 is the median); null of none.
 * @param sorted ascending
 */
export function quantile(sorted: readonly number[], share: number): number | null {
  const at = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (low === undefined || high === undefined) return null
  return low === high ? low : low + (high - low) * (at - Math.floor(at))
}
