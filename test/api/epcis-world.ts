import type { Test } from 'tap'
import type { StockWorld } from './stock-world.ts'
import type { Answer, Json } from './world.ts'

export const eventsOf = ({ body }: Answer) =>
  body['epcisBody']?.['queryResults']?.['resultsBody']?.['eventList'] as unknown as Json[]

export function documentOf(eventList: unknown[]) {
  return {
    '@context': 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
    type: 'EPCISDocument',
    schemaVersion: '2.0',
    creationDate: '2026-01-02T10:00:00Z',
    epcisBody: { eventList },
  }
}

/** What we give is what we would take: the rules for both are the same. */
export async function checkEvents(
  t: Test,
  world: StockWorld,
  events: readonly (Json | undefined)[],
): Promise<void> {
  const { body } = await world.post('/v1/epcis/capture', world.admin, documentOf([...events]))
  const codes = (body['errors'] as unknown as { code: string; detail: string }[]).filter(
    ({ code }) => code === 'epcis.invalidEvent',
  )
  t.same(codes, [], 'our own events are valid')
}

const sum = (of: readonly { readonly doses: number }[]) => of.reduce((all, { doses }) => all + doses, 0)

export async function addsUp(t: Test, { db }: StockWorld): Promise<void> {
  const entries = await db.selectFrom('stockEntry').selectAll().where('version', 'is not', null).execute()
  const balances = await db.selectFrom('stockBalance').selectAll().execute()
  t.equal(sum(entries), sum(balances), 'on hand is the sum of the entries')
}
