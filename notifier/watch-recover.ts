import { AREA_OUTAGE, isOutageOver, SITE_OUTAGE } from '../domain/outage.ts'
import { lockBreach } from '../db/queries/notification.ts'
import { listMembers, listOpenOutages, listParts, updateBackAt } from '../db/queries/outage.ts'
import type { BreachTable, Db } from '../db/schema.ts'
import { changeBreach, recording, type RecordDeps, type Recording } from './watch-record.ts'

const OUTAGES_MAX = 200

/** Ends the outages of which most is back. @param after where the last call left off @returns where this one did; empty at the end */
export async function recoverOutages(deps: RecordDeps & { readonly db: Db }, after: string): Promise<string> {
  const open = await listOpenOutages(deps.db, after, OUTAGES_MAX)
  // Those of areas last: they follow from those of their places.
  for (const { id } of open) await recording(deps, (work) => recover(work, id))
  return open.length < OUTAGES_MAX ? '' : (open.at(-1)?.id ?? '')
}

async function recover(work: Recording, id: string): Promise<void> {
  await lockBreach(work.trx, id)
  const outage = await work.trx.selectFrom('breach').selectAll().where('id', '=', id).executeTakeFirst()
  if (outage?.state !== 'open') return
  const parts = await listParts(work.trx, id)
  const places = parts.filter((part) => part.ruleId === 'site-outage')
  const over = places.length > 0 ? areaOver(places) : await siteOver(work, outage)
  if (over === undefined) return
  await changeBreach(work, outage, {
    state: 'ended',
    endAt: Math.max(over, outage.startAt),
    lastAt: work.now,
  })
  // What is still silent stands for itself from now on, and people hear of it.
  for (const part of parts.filter(({ state }) => state === 'open'))
    await changeBreach(work, part, { outageId: null, lastAt: work.now })
}

function areaOver(places: readonly BreachTable[]): number | undefined {
  const ends = places.filter(({ state }) => state !== 'open').map(({ endAt, startAt }) => endAt ?? startAt)
  return isOutageOver(places.length, ends.length, AREA_OUTAGE) ? Math.max(...ends) : undefined
}

/** When so many were back that it was over; undefined when it is not. */
async function siteOver(work: Recording, outage: BreachTable): Promise<number | undefined> {
  const members = await listMembers(work.trx, outage.id)
  const backs: number[] = []
  for (const member of members) {
    const isBack = member.silenceId === null && member.powerLostAt === null
    const backAt = isBack ? (member.backAt ?? member.arrivedAt ?? work.now) : null
    if (backAt !== member.backAt) await updateBackAt(work.trx, member, backAt)
    if (backAt !== null) backs.push(backAt)
  }
  if (members.length > outage.peak) await changeBreach(work, outage, { peak: members.length })
  return isOutageOver(members.length, backs.length, SITE_OUTAGE) ? Math.max(...backs) : undefined
}
