import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../simulators/api.ts'
import type { Row } from './demo-view.ts'

interface OpenBreach {
  readonly id: string
  readonly deviceId: string
  readonly ruleName: string | null
  readonly startAt: string
}

interface Notification {
  readonly channel: string
  readonly step: string
  readonly status: string
}

interface WatchOptions {
  readonly api: Api
  /** Their `breach` is kept up to date. */
  readonly rows: readonly Row[]
  readonly signal: AbortSignal
  /** Called once: the first time that a breach of theirs and a notification of it that was sent are seen through the API. */
  readonly onTold: () => void
}

const POLL_EVERY_MS = 1000

/** Asks the API for open breaches once a second, until the signal. @throws ApiError */
export async function watchBreaches({ api, rows, signal, onTold }: WatchOptions): Promise<void> {
  let told = false
  while (!signal.aborted) {
    const open = await api.list<OpenBreach>('/v1/breaches?state=open')
    for (const row of rows) {
      const breach = open.find(({ deviceId }) => deviceId === row.device.id)
      row.breach = breach && `${breach.ruleName ?? 'Breach'}, since ${breach.startAt.slice(11, 16)}Z`
      if (breach && !told && (await wasTold(api, breach.id))) {
        told = true
        onTold()
      }
    }
    await sleep(POLL_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function wasTold(api: Api, breachId: string): Promise<boolean> {
  const { notifications } = await api.get<{ notifications: Notification[] }>(`/v1/breaches/${breachId}`)
  return notifications.some(
    ({ channel, step, status }) => channel === 'console' && step === 'opened' && status === 'sent',
  )
}
