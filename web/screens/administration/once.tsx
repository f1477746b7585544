import { useState } from 'react'
import { Button } from '../../controls/button.tsx'
import { Modal } from '../../controls/modal.tsx'
import { useMessages } from '../../messages.ts'
import styles from './administration.module.css'
import { administrationMessages } from './messages.ts'

interface Props {
  readonly title: string
  readonly lead: string
  readonly secrets: readonly { readonly label?: string; readonly text: string }[]
  readonly onClose: () => void
}

/** What is seen this one time: a token, a password. That it was copied is said beside it, where it covers nothing. */
export function Once({ title, lead, secrets, onClose }: Props) {
  const t = useMessages(administrationMessages)
  const [isCopied, setCopied] = useState(false)
  // Browsers give the clipboard to pages over https and on this machine alone; elsewhere people select the text.
  const clipboard = navigator.clipboard as Clipboard | undefined
  const all = secrets.map(({ text }) => text).join('\n')
  return (
    <Modal isOpen isOnce title={title} onClose={onClose}>
      <p>{lead}</p>
      {secrets.map(({ label, text }) => (
        <p key={text} className={styles['secret']}>
          {label !== undefined && <span>{label}</span>}
          <code className={styles['token']}>{text}</code>
        </p>
      ))}
      <p role="status" className={styles['soft']}>
        {isCopied && t.copied}
      </p>
      <div className={styles['buttons']}>
        {clipboard && (
          <Button
            kind="normal"
            onPress={() =>
              void clipboard.writeText(all).then(
                () => setCopied(true),
                () => undefined,
              )
            }
          >
            {t.copy}
          </Button>
        )}
        <Button kind="primary" onPress={onClose}>
          {t.done}
        </Button>
      </div>
    </Modal>
  )
}
