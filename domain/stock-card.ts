/** One side of an event, as the card shows the other. */
export interface Side {
  readonly line: number
  readonly doses: number
}

/**
 * The other side of each entry of an event, by line. The entries of one line of a command follow each other and add up to nothing.
 * @param entries of one item, in their order
 */
export function counterpartsOf<S extends Side>(entries: readonly S[]): Map<number, S[]> {
  const found = new Map<number, S[]>()
  let group: S[] = []
  let sum = 0
  for (const entry of entries) {
    group.push(entry)
    sum += entry.doses
    if (sum !== 0) continue
    for (const one of group)
      found.set(
        one.line,
        group.filter((other) => Math.sign(other.doses) === -Math.sign(one.doses) && other.doses !== 0),
      )
    group = []
  }
  return found
}

/**
 * Opening and closing of entries in event time.
 * @param entries the newest first
 * @param closing on hand after the first of them
 */
export function runBack<E extends { readonly doses: number }>(
  entries: readonly E[],
  closing: number,
): (E & { readonly opening: number; readonly closing: number })[] {
  let after = closing
  return entries.map((entry) => {
    const opening = after - entry.doses
    const numbered = { ...entry, opening, closing: after }
    after = opening
    return numbered
  })
}
