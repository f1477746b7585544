import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { CLOSE_REASONS, type CloseReason } from '../../../domain/closing.ts'
import { call } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Check } from '../../controls/check.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Modal } from '../../controls/modal.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import type { Breach } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import styles from './breaches.module.css'
import { nameOf } from './describe.tsx'
import { breachMessages } from './messages.ts'

interface Props {
  readonly breach: Breach
  readonly onClose: () => void
}

const ACTIONS = ['moved', 'power', 'closedDoor', 'adjusted', 'calledTechnician', 'checked'] as const
type Action = (typeof ACTIONS)[number]

/** What was done, with a comment. Of an outage of a whole place, what is part of it is acknowledged with it. */
export function Acknowledge({ breach, onClose }: Props) {
  const t = useMessages(breachMessages)
  const [action, setAction] = useState<Action>('checked')
  const [members, setMembers] = useState(true)
  const isPlace = breach.deviceId === null
  const act = useAct(
    onClose,
    (comment) =>
      call('acknowledgeBreach', {
        params: { id: breach.id },
        // The record is read by others later, in whatever language: it says what the person chose.
        body: { action: t.actions[action], comment, members: isPlace && members },
      }),
    (said) =>
      said.members > 0 ? t.acknowledgedWith(nameOf(breach), said.members) : t.acknowledged(nameOf(breach)),
  )
  return (
    <Modal isOpen title={`${t.acknowledge}: ${nameOf(breach)}`} onClose={onClose}>
      {act.isError && <ProblemNote problem={act.error} />}
      <ActForm busy={act.isPending} submit={t.acknowledge} onClose={onClose} onSubmit={act.mutate}>
        <Choice
          label={t.action}
          options={ACTIONS.map((value) => ({ value, label: t.actions[value] }))}
          value={action}
          onChange={setAction}
        />
        {isPlace && <Check label={t.withMembers} isSelected={members} onChange={setMembers} />}
      </ActForm>
    </Modal>
  )
}

/** Why nobody needs to look at it any more. */
export function Close({ breach, onClose }: Props) {
  const t = useMessages(breachMessages)
  // What goes on was not reviewed to its end.
  const reasons = CLOSE_REASONS.filter((one) => one !== 'reviewed' || breach.state === 'ended')
  const [reason, setReason] = useState<CloseReason>(breach.state === 'ended' ? 'reviewed' : 'sensor-broken')
  const act = useAct(
    onClose,
    (comment) => call('closeBreach', { params: { id: breach.id }, body: { reason, comment } }),
    () => t.closed(nameOf(breach)),
  )
  return (
    <Modal isOpen title={`${t.close}: ${nameOf(breach)}`} onClose={onClose}>
      {act.isError && <ProblemNote problem={act.error} />}
      <ActForm busy={act.isPending} submit={t.close} onClose={onClose} onSubmit={act.mutate}>
        <Choice
          label={t.reason}
          options={reasons.map((value) => ({ value, label: t.reasons[value] }))}
          value={reason}
          onChange={setReason}
        />
      </ActForm>
    </Modal>
  )
}

function useAct<T>(onDone: () => void, act: (comment: string) => Promise<T>, said: (answer: T) => string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: async (answer) => {
      toast(said(answer))
      onDone()
      await Promise.all(
        (['listBreaches', 'getBreach', 'listEquipmentStates'] as const).map((operation) =>
          client.invalidateQueries({ queryKey: [operation] }),
        ),
      )
    },
  })
}

interface FormProps {
  readonly busy: boolean
  readonly submit: string
  readonly onClose: () => void
  readonly onSubmit: (comment: string) => void
  readonly children: React.ReactNode
}

function ActForm({ busy, submit, onClose, onSubmit, children }: FormProps) {
  const t = useMessages(breachMessages)
  const shell = useMessages(shellMessages)
  return (
    <Form
      className={styles['form'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit(String(new FormData(event.currentTarget).get('comment')))
      }}
    >
      {children}
      <TextField label={t.comment} name="comment" lines={3} maxLength={4000} isRequired />
      <div className={styles['buttons']}>
        <Button kind="normal" onPress={onClose}>
          {shell.cancel}
        </Button>
        <Button kind="primary" type="submit" isDisabled={busy}>
          {submit}
        </Button>
      </div>
    </Form>
  )
}
