import { useSyncExternalStore } from 'react'
import styles from './controls.module.css'
import { Icon } from './icon.tsx'

const SHOWN_MS = 6000
const TOASTS_MAX = 3

interface Toast {
  readonly id: number
  readonly text: string
}

const listeners = new Set<() => void>()
let toasts: readonly Toast[] = []
let last = 0

/** Says that something was done; goes by itself. What a person must act upon is not said this way. */
export function toast(text: string): void {
  const id = ++last
  become([...toasts, { id, text }].slice(-TOASTS_MAX))
  setTimeout(() => become(toasts.filter((one) => one.id !== id)), SHOWN_MS)
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div role="status" className={styles['toasts']}>
      {shown.map(({ id, text }) => (
        <p key={id} className={styles['toast']}>
          <Icon name="check" /> {text}
        </p>
      ))}
    </div>
  )
}

function become(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}
