import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { BreachDetail } from '../../operations.ts'
import styles from './breaches.module.css'
import { breachMessages } from './messages.ts'

interface Props {
  readonly breach: BreachDetail
}

/** Every change of the breach, the newest first, with what people said. A breach that stays warm is extended by each reading: those are left out. */
export function History({ breach }: Props) {
  const t = useMessages(breachMessages)
  const format = useFormat()
  const { changes, acknowledgements, timeZone } = breach
  const shown = changes.filter(({ kind }) => kind !== 'extended').toReversed()
  const saidAt = (at: string) => acknowledgements.find((one) => one.at === at)
  return (
    <section className={styles['panel']}>
      <h2>{t.history}</h2>
      <ol className={styles['timeline']}>
        {shown.map(({ id, kind, at, actorName }) => {
          const said = kind === 'acknowledged' ? saidAt(at) : undefined
          const comment = kind === 'closed' ? breach.closeComment : said?.comment
          return (
            <li key={id}>
              <strong>{t.changes[kind]}</strong>
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

/** Who was told, when, and whether it reached them. */
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
