import { useMessages } from '../messages.ts'
import { shellMessages } from '../shell/messages.ts'
import styles from './controls.module.css'

/** The shape of what is to come. */
export function Skeleton({ rows }: { readonly rows: number }) {
  const t = useMessages(shellMessages)
  return (
    <div role="status" aria-label={t.loading} className={styles['skeletons']}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={styles['skeleton']} />
      ))}
    </div>
  )
}
