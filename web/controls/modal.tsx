import type { ReactNode } from 'react'
import { Dialog, Heading, Modal as AriaModal, ModalOverlay } from 'react-aria-components'
import styles from './controls.module.css'

interface Props {
  readonly title: string
  readonly isOpen: boolean
  readonly onClose: () => void
  /** It says what is said only once: a tap beside it does not close it. */
  readonly isOnce?: boolean
  readonly children: ReactNode
}

/** A form or a question above the screen; at the lower edge of a phone. */
export function Modal({ title, isOpen, onClose, isOnce = false, children }: Props) {
  return (
    <ModalOverlay
      isDismissable={!isOnce}
      isOpen={isOpen}
      onOpenChange={(open) => open || onClose()}
      className={styles['overlay'] ?? ''}
    >
      <AriaModal className={styles['modal'] ?? ''}>
        <Dialog className={styles['dialog'] ?? ''}>
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </AriaModal>
    </ModalOverlay>
  )
}
