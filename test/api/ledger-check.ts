import type { Test } from 'tap'
import type { Db } from '../../db/schema.ts'

function keyOf(row: {
  readonly accountId: string
  readonly lotId: string
  readonly vvmStage: number
  readonly held: number
}): string {
  return [row.accountId, row.lotId, row.vvmStage, row.held].join(' ')
}

/** On hand = sum of entries; each event adds up to nothing; opening and closing follow each other. */
export async function checkLedger(t: Test, db: Db): Promise<void> {
  const entries = await db.selectFrom('stockEntry').selectAll().execute()
  const balances = await db.selectFrom('stockBalance').selectAll().execute()
  const lines = Map.groupBy(
    entries.filter(({ version }) => version !== null),
    keyOf,
  )
  t.equal(lines.size, balances.length, 'every line has a balance')
  for (const balance of balances) {
    const line = (lines.get(keyOf(balance)) ?? []).toSorted((x, y) => Number(x.version) - Number(y.version))
    t.equal(
      line.reduce((sum, { doses }) => sum + doses, 0),
      balance.doses,
      'on hand is the sum of the entries',
    )
    t.equal(line.length, balance.version)
    let closing = 0
    for (const [index, entry] of line.entries()) {
      if (entry.opening !== closing || entry.closing !== closing + entry.doses || entry.version !== index + 1)
        t.fail(`${keyOf(balance)} ${index}: ${JSON.stringify(entry)}`)
      closing = Number(entry.closing)
    }
  }
  for (const [eventId, legs] of Map.groupBy(entries, (entry) => `${entry.eventId} ${entry.itemId}`))
    if (legs.reduce((sum, { doses }) => sum + doses, 0) !== 0) t.fail(`${eventId} does not add up`)
}
