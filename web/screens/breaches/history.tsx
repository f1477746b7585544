import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { BreachChange, BreachDetail } from '../../operations.ts'
import styles from './breaches.module.css'
import { breachMessages } from './messages.ts'

interface Props {
  readonly breach: BreachDetail
}

/** Every change of the breach, the newest first, with what people said. One that stays warm is extended by each reading: those in a row are one line. */
export function History({ breach }: Props) {
  const t = useMessages(breachMessages)
  const format = useFormat()
  const { changes, acknowledgements, timeZone } = breach
  const saidAt = (at: string) => acknowledgements.find((one) => one.at === at)
  return (
    <section className={styles['panel']}>
      <h2>{t.history}</h2>
      <ol className={styles['timeline']}>
        {runsOf(changes)
          .toReversed()
          .map(({ change: { id, kind, at, actorName }, times }) => {
            const said = kind === 'acknowledged' ? saidAt(at) : undefined
            const comment = kind === 'closed' ? breach.closeComment : said?.comment
            return (
              <li key={id}>
                <strong>{times > 1 ? t.extendedTimes(times) : t.changes[kind]}</strong>
                <span>{[format.time(at, timeZone), actorName].filter(Boolean).join(' · ')}</span>
                {said && <span>{said.action}</span>}
                {comment && <q>{comment}</q>}
              </li>
            )
          })}
      </ol>
    </section>
  )
}

/** The last of several extensions in a row, and how many there were. */
function runsOf(changes: readonly BreachChange[]): { change: BreachChange; times: number }[] {
  const runs: { change: BreachChange; times: number }[] = []
  for (const change of changes) {
    const last = runs.at(-1)
    if (last && change.kind === 'extended' && last.change.kind === 'extended')
      runs[runs.length - 1] = { change, times: last.times + 1 }
    else runs.push({ change, times: 1 })
  }
  return runs
}

/** Who was told, of what, when, and whether it reached them. */
export function Told({ breach }: Props) {
  const t = useMessages(breachMessages)
  const format = useFormat()
  return (
    <section className={styles['panel']}>
      <h2>{t.told}</h2>
      {breach.notifications.length === 0 && <p>{t.nobodyTold}</p>}
      <ol className={styles['timeline']}>
        {breach.notifications.toReversed().map((one) => (
          <li key={one.id}>
            <strong>{(one.userName ?? one.recipient) || one.destination || one.channel}</strong>
            <span>
              {[t.steps[one.step], one.level === null ? undefined : t.level(one.level + 1)]
                .filter(Boolean)
                .join(' · ')}
            </span>
            <span>
              {one.channel} · {t.deliveries[one.status]} ·{' '}
              {format.time(one.sentAt ?? one.createdAt, breach.timeZone)}
            </span>
            {one.status === 'failed' && one.lastError && <span>{one.lastError}</span>}
          </li>
        ))}
      </ol>
    </section>
  )
}
