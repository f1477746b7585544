import { useState } from 'react'
import { call, useMay } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Chip } from '../../../controls/chip.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { EscalationPolicy } from '../../../operations.ts'
import { usePreferences } from '../../../preferences.ts'
import styles from '../administration.module.css'
import { Ask } from '../ask.tsx'
import { Facts } from '../facts.tsx'
import { usePlaceName } from '../names.tsx'
import { daysIn } from './days.ts'
import { alarmMessages } from './messages.ts'
import { PolicyForm } from './policy-form.tsx'
import { keyOf, ReceiversName } from './receivers.tsx'

/** When the API is told nothing of how many. */
const REMINDERS_DEFAULT = 12

interface Props {
  readonly policy: EscalationPolicy
  /** The place that is looked at; the policy may be of one above. */
  readonly facilityId: string
}

/** The policy that holds at a place for breaches of one severity. */
export function PolicyPanel({ policy, facilityId }: Props) {
  const t = useMessages(alarmMessages)
  const format = useFormat()
  const isOwn = policy.facilityId === facilityId
  return (
    <section className={styles['panel']}>
      <h2>{t.severities[policy.severity]}</h2>
      <p>
        <strong>{policy.id === null ? t.shipped : policy.name}</strong>
        {policy.id !== null && <Origin facilityId={policy.facilityId} isOwn={isOwn} />}
      </p>
      {policy.testMode && (
        <p>
          <Chip state="silent" icon="offline">
            {t.testPolicy}
          </Chip>
        </p>
      )}
      <ol className={styles['levels']}>
        {policy.levels.map((level, index) => (
          <li key={`${index} ${level.delayMinutes}`}>
            <strong>
              {level.delayMinutes === 0 ? t.atOnce : t.after(format.span(level.delayMinutes * 60))}
            </strong>
            {level.keepsWorkingHours && <span className={styles['soft']}> ({t.inHours})</span>}
            <ul>
              {level.who.map((one) => (
                <li key={keyOf(one)}>
                  <ReceiversName of={one} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
      <Times policy={policy} />
      <Acts policy={policy} facilityId={facilityId} />
    </section>
  )
}

function Origin({ facilityId, isOwn }: { readonly facilityId: string | null; readonly isOwn: boolean }) {
  const t = useMessages(alarmMessages)
  const name = usePlaceName(isOwn ? null : facilityId)
  return <span className={styles['soft']}> · {isOwn ? t.own : t.above(name)}</span>
}

function Times({ policy }: { readonly policy: EscalationPolicy }) {
  const t = useMessages(alarmMessages)
  const format = useFormat()
  const { language } = usePreferences()
  const { workingHours, reminderMinutes, remindersMax, levels } = policy
  const { days, from, to } = workingHours
  const names = daysIn(language)
    .filter(({ day }) => days.includes(day))
    .map(({ name }) => name)
  const reminders =
    reminderMinutes === null
      ? t.remindersDefault
      : reminderMinutes === 0
        ? t.remindersNone
        : t.remindersEvery(
            format.span(reminderMinutes * 60),
            format.number(remindersMax ?? REMINDERS_DEFAULT),
          )
  const keepsHours = levels.some(({ keepsWorkingHours }) => keepsWorkingHours)
  return (
    <Facts
      facts={[
        [t.reminders, reminders],
        [t.hours, keepsHours ? t.hoursOf(names.join(', '), from, to) : undefined],
      ]}
    />
  )
}

function Acts({ policy, facilityId }: Props) {
  const t = useMessages(alarmMessages)
  const [open, setOpen] = useState<'edit' | 'remove'>()
  const mayChange = useMay('updateEscalationPolicy')
  if (!mayChange) return undefined
  const isOwn = policy.facilityId === facilityId
  const severity = t.severities[policy.severity]
  const onClose = () => setOpen(undefined)
  return (
    <div className={styles['buttons']}>
      <Button
        kind="normal"
        aria-label={`${isOwn ? t.change : t.make}: ${severity}`}
        onPress={() => setOpen('edit')}
      >
        {isOwn ? t.change : t.make}
      </Button>
      {isOwn && (
        <Button kind="quiet" aria-label={`${t.remove}: ${severity}`} onPress={() => setOpen('remove')}>
          {t.remove}
        </Button>
      )}
      {open === 'edit' && <PolicyForm policy={policy} facilityId={facilityId} onClose={onClose} />}
      {open === 'remove' && <Remove policy={policy} onClose={onClose} />}
    </div>
  )
}

function Remove({ policy, onClose }: { readonly policy: EscalationPolicy; readonly onClose: () => void }) {
  const t = useMessages(alarmMessages)
  return (
    <Ask
      title={`${t.remove}: ${policy.name}`}
      lead={t.removeAsk}
      submit={t.remove}
      outdates={['getFacilityEscalation', 'listEscalationPolicies']}
      act={() =>
        call('updateEscalationPolicy', { params: { id: policy.id ?? '' }, body: { archived: true } })
      }
      onDone={() => {
        toast(t.removed)
        onClose()
      }}
      onClose={onClose}
    />
  )
}
