import { Button } from '../controls/button.tsx'
import { useMessages } from '../messages.ts'
import { shellMessages } from './messages.ts'
import styles from './shell.module.css'

/** In the place of a screen that threw. */
export function Crash() {
  const t = useMessages(shellMessages)
  return (
    <div className={styles['alone']} role="alert">
      <h1>{t.problem}</h1>
      <p>{t.crash}</p>
      <Button kind="primary" onPress={() => location.reload()}>
        {t.reload}
      </Button>
    </div>
  )
}
