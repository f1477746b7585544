import { Link } from '@tanstack/react-router'
import { useMessages } from '../messages.ts'
import { shellMessages } from './messages.ts'
import styles from './shell.module.css'

export function NotFound() {
  const t = useMessages(shellMessages)
  return (
    <div className={styles['alone']}>
      <h1>{t.notFoundTitle}</h1>
      <p>{t.notFound}</p>
      <Link to="/">{t.home}</Link>
    </div>
  )
}
