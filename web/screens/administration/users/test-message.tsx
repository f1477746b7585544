import { useMutation, useQuery } from '@tanstack/react-query'
import { call, query } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Chip, type State } from '../../../controls/chip.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { Notification } from '../../../operations.ts'
import styles from '../administration.module.css'
import { userMessages } from './messages.ts'

const ASK_MS = 1000
/** After this long without a word nobody waits any more. */
const PATIENCE_MS = 60_000
const SHOWN_MAX = 20

const STATES: Readonly<Record<Notification['status'], State>> = {
  pending: 'silent',
  sent: 'in-range',
  failed: 'warm',
  muted: 'unknown',
}

/** Sends a real message that says it is a test, and shows what became of it on every way. */
export function TestMessage({ userId }: { readonly userId: string }) {
  const t = useMessages(userMessages)
  const sending = useMutation({ mutationFn: () => call('testNotification', { body: { userId } }) })
  return (
    <>
      <p className={styles['soft']}>{t.testLead}</p>
      <div>
        <Button kind="normal" isDisabled={sending.isPending} onPress={() => sending.mutate()}>
          {t.test}
        </Button>
      </div>
      {sending.isError && <ProblemNote problem={sending.error} />}
      {sending.data && <Deliveries key={sending.data.id} userId={userId} since={sending.data.createdAt} />}
    </>
  )
}

interface DeliveriesProps {
  readonly userId: string
  readonly since: string
}

function Deliveries({ userId, since }: DeliveriesProps) {
  const t = useMessages(userMessages)
  const format = useFormat()
  const isOver = (items: readonly Notification[]) =>
    Date.now() - Date.parse(since) > PATIENCE_MS ||
    (items.length > 0 && items.every(({ status }) => status !== 'pending'))
  const ofThis = (items: readonly Notification[]) =>
    items.filter(({ step, createdAt }) => step === 'test' && createdAt >= since)
  const told = useQuery({
    ...query('listNotifications', { query: { userId, limit: SHOWN_MAX } }),
    select: ({ items }) => ofThis(items),
    refetchInterval: ({ state }) => (isOver(ofThis(state.data?.items ?? [])) ? false : ASK_MS),
  })
  const shown = told.data ?? []
  return (
    <div role="status" className={styles['deliveries']}>
      {told.isError && <ProblemNote problem={told.error} onRetry={() => void told.refetch()} />}
      {shown.length === 0 && <p>{isOver(shown) ? t.testNowhere : t.testing}</p>}
      <ul className={styles['plain']}>
        {shown.map(({ id, channel, recipient, destination, status, sentAt, lastError }) => (
          <li key={id}>
            <div>
              <strong>{channel}</strong> {recipient || destination}
              {lastError !== null && <p className={styles['soft']}>{lastError}</p>}
              {sentAt !== null && <p className={styles['soft']}>{format.time(sentAt, null)}</p>}
            </div>
            <Chip state={STATES[status]}>{t.deliveries[status]}</Chip>
          </li>
        ))}
      </ul>
    </div>
  )
}
