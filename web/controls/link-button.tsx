import { createLink } from '@tanstack/react-router'
import type { ComponentProps } from 'react'
import styles from './controls.module.css'

interface Props extends ComponentProps<'a'> {
  readonly kind: 'primary' | 'normal'
}

function Anchor({ kind, children, ...props }: Props) {
  return (
    <a {...props} className={`${styles['button']} ${styles[kind]}`}>
      {children}
    </a>
  )
}

/** Leads to another screen, and looks like a button: for what people come to do. */
export const LinkButton = createLink(Anchor)
