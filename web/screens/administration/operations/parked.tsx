import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { call, Problem, query } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { saveFile } from '../../../download.ts'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { ParkedBatchDetail } from '../../../operations.ts'
import { NotFound } from '../../../shell/not-found.tsx'
import styles from '../administration.module.css'
import { Ask } from '../ask.tsx'
import { Facts } from '../facts.tsx'
import { operationsMessages } from './messages.ts'

/** More than this of a batch no person reads on a screen; the file has all. */
const SHOWN_CHARS_MAX = 20_000
const route = getRouteApi('/administration/queues/$parkedId')

export function ParkedPage() {
  const { parkedId } = route.useParams()
  const batch = useQuery(query('getParkedBatch', { params: { id: parkedId } }))
  if (batch.error instanceof Problem && [400, 404].includes(batch.error.status)) return <NotFound />
  if (batch.isError) return <ProblemNote problem={batch.error} onRetry={() => void batch.refetch()} />
  if (!batch.data) return <Skeleton rows={4} />
  return <Found batch={batch.data} />
}

function Found({ batch }: { readonly batch: ParkedBatchDetail }) {
  const t = useMessages(operationsMessages)
  const format = useFormat()
  const { queue, readings, reason, parkedAt, acceptedAt, attempts } = batch
  return (
    <>
      <Link to="/administration/queues" className={styles['back']}>
        <Icon name="back" /> {t.queues}
      </Link>
      <header className={styles['head']}>
        <h1>
          {t.names[queue]}: {t.readings(readings)}
        </h1>
        <p>{t.does[queue]}</p>
      </header>
      <Acts batch={batch} />
      <section className={styles['panel']}>
        <Facts
          facts={[
            [t.reason, reason],
            [t.parkedAt, `${format.time(parkedAt, null)}, ${t.attempts(attempts)}`],
            [t.accepted, acceptedAt === null ? undefined : format.time(acceptedAt, null)],
          ]}
        />
        {batch.deviceIds.length > 0 && (
          <p className={styles['refs']}>
            {t.devices}:
            {batch.deviceIds.map((id) => (
              <Link key={id} to="/administration/devices/$deviceId" params={{ deviceId: id }}>
                {id.slice(-12)}
              </Link>
            ))}
          </p>
        )}
      </section>
      <Content batch={batch} />
    </>
  )
}

function Content({ batch }: { readonly batch: ParkedBatchDetail }) {
  const t = useMessages(operationsMessages)
  if (batch.batch === null) return <p className={styles['panel']}>{t.unreadable}</p>
  const text = JSON.stringify(batch.batch, null, 2)
  const save = () => saveFile(new Blob([text], { type: 'application/json' }), `${batch.id}.json`)
  return (
    <section className={styles['panel']}>
      <h2>{text.length > SHOWN_CHARS_MAX ? t.contentPart : t.content}</h2>
      <pre className={styles['payload']} tabIndex={0}>
        {text.slice(0, SHOWN_CHARS_MAX)}
      </pre>
      <div>
        <Button kind="normal" onPress={save}>
          {t.save}
        </Button>
      </div>
    </section>
  )
}

function Acts({ batch }: { readonly batch: ParkedBatchDetail }) {
  const t = useMessages(operationsMessages)
  const client = useQueryClient()
  const navigate = useNavigate()
  const [isAsking, setAsking] = useState(false)
  const leave = async (said: string) => {
    toast(said)
    await navigate({ to: '/administration/queues' })
    for (const operation of ['listParkedBatches', 'listQueues'] as const)
      await client.invalidateQueries({ queryKey: [operation] })
  }
  const replaying = useMutation({
    mutationFn: () => call('replayParkedBatch', { params: { id: batch.id } }),
    onSuccess: () => leave(t.replayed(1)),
  })
  return (
    <>
      {replaying.isError && <ProblemNote problem={replaying.error} />}
      <div className={styles['buttons']}>
        {batch.batch !== null && (
          <Button kind="primary" isDisabled={replaying.isPending} onPress={() => replaying.mutate()}>
            {t.replay}
          </Button>
        )}
        <Button kind="normal" onPress={() => setAsking(true)}>
          {t.discard}
        </Button>
      </div>
      {isAsking && (
        <Discard id={batch.id} onDone={() => void leave(t.discarded)} onClose={() => setAsking(false)} />
      )}
    </>
  )
}

interface DiscardProps {
  readonly id: string
  readonly onDone: () => void
  readonly onClose: () => void
}

function Discard({ id, onDone, onClose }: DiscardProps) {
  const t = useMessages(operationsMessages)
  const [reason, setReason] = useState('')
  return (
    <Ask
      title={t.discard}
      lead={t.discardAsk}
      submit={t.discard}
      outdates={[]}
      act={() => call('discardParkedBatch', { params: { id }, body: { reason } })}
      onDone={onDone}
      onClose={onClose}
    >
      <TextField
        label={t.discardWhy}
        lines={3}
        maxLength={500}
        value={reason}
        onChange={setReason}
        isRequired
      />
    </Ask>
  )
}
