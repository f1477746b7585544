import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState, type ReactNode } from 'react'
import { Form } from 'react-aria-components'
import { Problem, type OperationId } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Modal } from '../../controls/modal.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { useMessages } from '../../messages.ts'
import { shellMessages } from '../../shell/messages.ts'
import styles from './administration.module.css'

/** What is written in the field of this name; `undefined` when it is empty. */
export type Field = (name: string) => string | undefined

interface Props<T> {
  readonly title: string
  readonly submit: string
  /** Lists that what is saved outdates. */
  readonly outdates: readonly OperationId[]
  /** What is missing though no field says so; then nothing is saved. */
  readonly check?: () => string | undefined
  readonly save: (field: Field) => Promise<T>
  readonly onSaved: (saved: T) => void
  readonly onClose: () => void
  readonly children: ReactNode
}

/** A form above the screen. What the API says of a field stands at that field. */
export function SaveForm<T>({ title, submit, outdates, check, save, onSaved, onClose, children }: Props<T>) {
  const shell = useMessages(shellMessages)
  const client = useQueryClient()
  const [complaint, setComplaint] = useState<string>()
  const saving = useMutation({
    mutationFn: (data: FormData) =>
      save((name) => {
        const value = data.get(name)
        return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
      }),
    onSuccess: async (saved) => {
      onSaved(saved)
      await Promise.all(outdates.map((operation) => client.invalidateQueries({ queryKey: [operation] })))
    },
  })
  // The same object as long as it is the same answer: a new one would bring back what somebody has mended since.
  const errors = useMemo(() => fieldErrors(saving.error), [saving.error])
  return (
    <Modal isOpen title={title} onClose={onClose}>
      {complaint !== undefined && <ProblemNote problem={undefined} title={complaint} />}
      {complaint === undefined && saving.isError && <ProblemNote problem={saving.error} />}
      {/* What is mended is no longer wrong: the form does not hold it against the person, nor moves under their finger when it is sent. */}
      <div onInput={() => saving.isError && saving.reset()}>
        <Form
          className={styles['form'] ?? ''}
          validationErrors={errors}
          onSubmit={(event) => {
            event.preventDefault()
            const missing = check?.()
            setComplaint(missing)
            if (missing === undefined) saving.mutate(new FormData(event.currentTarget))
          }}
        >
          {children}
          <div className={styles['buttons']}>
            <Button kind="normal" onPress={onClose}>
              {shell.cancel}
            </Button>
            <Button kind="primary" type="submit" isDisabled={saving.isPending}>
              {submit}
            </Button>
          </div>
        </Form>
      </div>
    </Modal>
  )
}

function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) return {}
  return Object.fromEntries(error.errors.map(({ path, message }) => [path.replace('/body/', ''), message]))
}
