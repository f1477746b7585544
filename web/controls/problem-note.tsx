import { Problem } from '../api.ts'
import { useMessages } from '../messages.ts'
import { shellMessages } from '../shell/messages.ts'
import { Button } from './button.tsx'
import styles from './controls.module.css'
import { Icon } from './icon.tsx'

interface Props {
  readonly problem: unknown
  readonly title?: string | undefined
  readonly onRetry?: () => void
}

/** The one way in which a failure is shown: what the API says of it in the person's language, or that there is no network. */
export function ProblemNote({ problem, title, onRetry }: Props) {
  const t = useMessages(shellMessages)
  return (
    <div role="alert" className={styles['problem']}>
      <Icon name="alarm" />
      <div>
        <strong>{title ?? t.problem}</strong>
        {title === undefined && <p>{problem instanceof Problem ? problem.message : t.network}</p>}
        {problem instanceof Problem && problem.detail !== undefined && <p>{problem.detail}</p>}
        {onRetry && (
          <Button kind="normal" onPress={onRetry}>
            {t.retry}
          </Button>
        )}
      </div>
    </div>
  )
}
