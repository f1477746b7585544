import { Button as AriaButton, type ButtonProps } from 'react-aria-components'
import styles from './controls.module.css'

interface Props extends ButtonProps {
  /** One `primary` a view: what most people came for. */
  readonly kind: 'primary' | 'normal' | 'quiet'
}

export function Button({ kind, ...props }: Props) {
  return <AriaButton {...props} className={`${styles['button']} ${styles[kind]}`} />
}
