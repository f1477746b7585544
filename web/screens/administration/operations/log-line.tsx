import { Link } from '@tanstack/react-router'
import { Chip, type State } from '../../../controls/chip.tsx'
import type { IconName } from '../../../controls/icon.tsx'
import { useMessages } from '../../../messages.ts'
import type { LogEntry } from '../../../operations.ts'
import { usePreferences } from '../../../preferences.ts'
import styles from '../administration.module.css'
import { operationsMessages } from './messages.ts'
import { momentIn } from './moments.ts'

type Level = LogEntry['level']

const STATES: Readonly<Record<Level, { readonly state: State; readonly icon: IconName }>> = {
  trace: { state: 'unknown', icon: 'list' },
  debug: { state: 'unknown', icon: 'list' },
  info: { state: 'unknown', icon: 'list' },
  warn: { state: 'silent', icon: 'alarm' },
  error: { state: 'warm', icon: 'alarm' },
  fatal: { state: 'warm', icon: 'alarm' },
}

/** What was said, and the threads by which the rest of its story is found. */
export function LogLine({ entry }: { readonly entry: LogEntry }) {
  const t = useMessages(operationsMessages)
  const { language } = usePreferences()
  const { level, part, message, at, requestId, deviceId, userId, data } = entry
  return (
    <li>
      <p className={styles['said']}>
        <Chip {...STATES[level]}>{t.levels[level]}</Chip>
        <strong>{message}</strong>
        <span className={styles['soft']}>
          {part} · <time dateTime={at}>{momentIn(language, at)}</time>
        </span>
      </p>
      <p className={styles['refs']}>
        {requestId !== null && (
          <Link to="/administration/logs" search={{ requestId }}>
            {t.request} {requestId.slice(-12)}
          </Link>
        )}
        {deviceId !== null && (
          <Link to="/administration/logs" search={{ deviceId }}>
            {t.device} {deviceId.slice(-12)}
          </Link>
        )}
        {userId !== null && (
          <Link to="/administration/logs" search={{ userId }}>
            {t.user} {userId.slice(-12)}
          </Link>
        )}
      </p>
      {hasData(data) && (
        <details>
          <summary>{t.more}</summary>
          <pre className={styles['payload']} tabIndex={0}>
            {JSON.stringify(data, null, 2)}
          </pre>
        </details>
      )}
    </li>
  )
}

function hasData(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.keys(data).length > 0
}
