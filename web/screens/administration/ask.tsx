import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Form } from 'react-aria-components'
import type { ReactNode } from 'react'
import type { OperationId } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Modal } from '../../controls/modal.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { useMessages } from '../../messages.ts'
import { shellMessages } from '../../shell/messages.ts'
import styles from './administration.module.css'

interface Props<T> {
  readonly title: string
  /** What will come of it. */
  readonly lead?: string | undefined
  readonly submit: string
  readonly outdates: readonly OperationId[]
  readonly act: () => Promise<T>
  readonly onDone: (done: T) => void
  readonly onClose: () => void
  readonly children?: ReactNode
}

/** A confirmation of what cannot be undone, or reaches many. */
export function Ask<T>({ title, lead, submit, outdates, act, onDone, onClose, children }: Props<T>) {
  const shell = useMessages(shellMessages)
  const client = useQueryClient()
  const acting = useMutation({
    mutationFn: act,
    onSuccess: async (done) => {
      onDone(done)
      await Promise.all(outdates.map((operation) => client.invalidateQueries({ queryKey: [operation] })))
    },
  })
  return (
    <Modal isOpen title={title} onClose={onClose}>
      {acting.isError && <ProblemNote problem={acting.error} />}
      {lead !== undefined && <p>{lead}</p>}
      <Form
        className={styles['form'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault()
          acting.mutate()
        }}
      >
        {children}
        <div className={styles['buttons']}>
          <Button kind="normal" onPress={onClose}>
            {shell.cancel}
          </Button>
          <Button kind="primary" type="submit" isDisabled={acting.isPending}>
            {submit}
          </Button>
        </div>
      </Form>
    </Modal>
  )
}
