import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { call, query } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Chip } from '../../../controls/chip.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { ParkedBatch, Queue } from '../../../operations.ts'
import { usePaged } from '../../../paged.ts'
import styles from '../administration.module.css'
import { Facts } from '../facts.tsx'
import { operationsMessages } from './messages.ts'

const ASK_MS = 5000
/** As many as the API replays at once. */
const PAGE_ROWS = 50

export function Queues() {
  const t = useMessages(operationsMessages)
  const queues = useQuery({ ...query('listQueues', {}), refetchInterval: ASK_MS })
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.queues}</h1>
        <p>{t.queuesLead}</p>
      </header>
      {queues.isPending && <Skeleton rows={3} />}
      {queues.isError && <ProblemNote problem={queues.error} onRetry={() => void queues.refetch()} />}
      {queues.data?.items.map((queue) => (
        <QueuePanel key={queue.name} queue={queue} />
      ))}
      <Parked />
    </>
  )
}

function QueuePanel({ queue }: { readonly queue: Queue }) {
  const t = useMessages(operationsMessages)
  const format = useFormat()
  const { name, batches, parked, consumers, inPerSecond, outPerSecond, oldestAgeMs } = queue
  return (
    <section className={styles['panel']}>
      <h2>{t.names[name]}</h2>
      <p className={styles['soft']}>{t.does[name]}</p>
      {(parked > 0 || (consumers === 0 && batches > 0)) && (
        <p className={styles['said']}>
          {parked > 0 && (
            <Chip state="warm" icon="alarm">
              {`${t.parked}: ${format.number(parked)}`}
            </Chip>
          )}
          {consumers === 0 && batches > 0 && (
            <Chip state="silent" icon="clock">
              {t.stuck}
            </Chip>
          )}
        </p>
      )}
      <Facts
        facts={[
          [t.waiting, batches === 0 ? t.nothingWaits : t.batches(batches)],
          [t.oldest, oldestAgeMs === null ? undefined : format.span(oldestAgeMs / 1000)],
          [t.rate, `${format.number(inPerSecond)} / ${format.number(outPerSecond)}`],
          [t.consumers, format.number(consumers)],
        ]}
      />
    </section>
  )
}

function Parked() {
  const t = useMessages(operationsMessages)
  const batches = usePaged('listParkedBatches', { limit: PAGE_ROWS }, { refetchInterval: ASK_MS })
  const shown = batches.items ?? []
  return (
    <section className={styles['panel']}>
      <h2>{t.parkedTitle}</h2>
      <p className={styles['soft']}>{t.parkedLead}</p>
      <PagedList of={batches} empty={<p>{t.allWell}</p>}>
        {(items) => (
          <ul className={styles['plain']}>
            {items.map((batch) => (
              <Row key={batch.id} batch={batch} />
            ))}
          </ul>
        )}
      </PagedList>
      {shown.length > 1 && <ReplayAll ids={shown.map(({ id }) => id)} />}
    </section>
  )
}

function Row({ batch }: { readonly batch: ParkedBatch }) {
  const t = useMessages(operationsMessages)
  const format = useFormat()
  return (
    <li>
      <div>
        <Link
          to="/administration/queues/$parkedId"
          params={{ parkedId: batch.id }}
          className={styles['name']}
        >
          {t.names[batch.queue]}: {t.readings(batch.readings)}
        </Link>
        <p className={styles['soft']}>{batch.reason}</p>
      </div>
      <span>
        {format.time(batch.parkedAt, null)} · {t.attempts(batch.attempts)}
      </span>
    </li>
  )
}

function ReplayAll({ ids }: { readonly ids: readonly string[] }) {
  const t = useMessages(operationsMessages)
  const client = useQueryClient()
  const replaying = useMutation({
    mutationFn: () => call('replayParkedBatches', { body: { ids: ids.slice(0, PAGE_ROWS) } }),
    onSuccess: async ({ items }) => {
      const done = items.filter(({ outcome }) => outcome === 'replayed').length
      toast(done === items.length ? t.replayed(done) : t.replayedSome(done, items.length))
      for (const operation of ['listParkedBatches', 'listQueues'] as const)
        await client.invalidateQueries({ queryKey: [operation] })
    },
  })
  return (
    <>
      {replaying.isError && <ProblemNote problem={replaying.error} />}
      <div>
        <Button kind="normal" isDisabled={replaying.isPending} onPress={() => replaying.mutate()}>
          {t.replayAll}
        </Button>
      </div>
    </>
  )
}
