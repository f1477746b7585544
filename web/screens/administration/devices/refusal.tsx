import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { call, Problem, query, useMay } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { RefusalDetail } from '../../../operations.ts'
import { usePreferences } from '../../../preferences.ts'
import { NotFound } from '../../../shell/not-found.tsx'
import styles from '../administration.module.css'
import { Facts } from '../facts.tsx'
import { deviceMessages } from './messages.ts'
import { readPayload } from './payload.ts'
import { reasonIn } from './reasons.ts'
import { OutcomeChip } from './refusals.tsx'

const route = getRouteApi('/administration/refusals/$refusalId')

export function RefusalPage() {
  const { refusalId } = route.useParams()
  const refusal = useQuery(query('getRefusal', { params: { id: refusalId } }))
  if (refusal.error instanceof Problem && [400, 404].includes(refusal.error.status)) return <NotFound />
  if (refusal.isError) return <ProblemNote problem={refusal.error} onRetry={() => void refusal.refetch()} />
  if (!refusal.data) return <Skeleton rows={4} />
  return <Found refusal={refusal.data} />
}

function Found({ refusal }: { readonly refusal: RefusalDetail }) {
  const t = useMessages(deviceMessages)
  const { language } = usePreferences()
  const format = useFormat()
  const { deviceId, deviceName, facilityName, timeZone, code, detail, topic, receivedAt } = refusal
  const payload = readPayload(refusal.payload)
  return (
    <>
      <Link to="/administration/refusals" className={styles['back']}>
        <Icon name="back" /> {t.refusals}
      </Link>
      <header className={styles['head']}>
        <h1>{reasonIn(language, code)}</h1>
        <p>{[deviceName ?? t.unknownDevice, facilityName].filter(Boolean).join(' · ')}</p>
      </header>
      <Replay refusal={refusal} />
      <section className={styles['panel']}>
        <Facts
          facts={[
            [t.detail, detail],
            [t.reason, code],
            [t.topic, topic],
            [t.received, format.time(receivedAt, timeZone)],
          ]}
        />
        {deviceName !== null && (
          <Link to="/administration/devices/$deviceId" params={{ deviceId }} className={styles['back']}>
            {deviceName}
          </Link>
        )}
      </section>
      <section className={styles['panel']}>
        <h2>{payload.isText ? t.payload : t.payloadHex}</h2>
        <pre className={styles['payload']} tabIndex={0}>
          {payload.text}
        </pre>
      </section>
    </>
  )
}

function Replay({ refusal }: { readonly refusal: RefusalDetail }) {
  const t = useMessages(deviceMessages)
  const { language } = usePreferences()
  const format = useFormat()
  const client = useQueryClient()
  const mayReplay = useMay('replayRefusal')
  const replaying = useMutation({
    mutationFn: () => call('replayRefusal', { params: { id: refusal.id } }),
    onSuccess: async () => {
      for (const operation of ['getRefusal', 'listRefusals'] as const)
        await client.invalidateQueries({ queryKey: [operation] })
    },
  })
  const { replayedAt, replayOutcome, timeZone } = refusal
  return (
    <>
      {replaying.isError && <ProblemNote problem={replaying.error} />}
      {mayReplay && (
        <div className={styles['buttons']}>
          <Button kind="primary" isDisabled={replaying.isPending} onPress={() => replaying.mutate()}>
            {replaying.isPending ? t.replaying : t.replay}
          </Button>
        </div>
      )}
      {replayedAt !== null && (
        <section className={styles['panel']} role="status">
          <p>
            <OutcomeChip refusal={refusal} />
          </p>
          <p className={styles['soft']}>
            {t.replayedTimes}: {format.time(replayedAt, timeZone)}
          </p>
          {replayOutcome?.refused.map(({ code, detail }) => (
            <p key={`${code} ${detail}`}>
              {reasonIn(language, code)} <span className={styles['soft']}>{detail}</span>
            </p>
          ))}
        </section>
      )}
    </>
  )
}
