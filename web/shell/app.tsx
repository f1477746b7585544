import { useQueryClient } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { I18nProvider } from 'react-aria-components'
import { Button } from '../controls/button.tsx'
import { keepAnswers, restoreAnswers } from '../keep-answers.ts'
import { startLive } from '../live.ts'
import { useMessages } from '../messages.ts'
import { usePreferences } from '../preferences.ts'
import { router } from '../router.ts'
import { startSession, useSessionState } from '../session.ts'
import { startSending } from '../waiting.ts'
import { Login } from './login.tsx'
import { shellMessages } from './messages.ts'
import styles from './shell.module.css'

/** The whole application: the login page or the screens. The address stays, so that a deep link survives a login. */
export function App() {
  const { language } = usePreferences()
  return (
    <I18nProvider locale={language}>
      <Content />
    </I18nProvider>
  )
}

function Content() {
  const state = useSessionState()
  switch (state) {
    case 'starting':
      return <div className={styles['starting']} aria-busy="true" />
    case 'unreachable':
      return <Unreachable />
    case 'out':
      return <Login />
    case 'in':
      return <Screens />
  }
}

function Screens() {
  const client = useQueryClient()
  const [isRestored, setRestored] = useState(false)
  useEffect(() => {
    const stops = [keepAnswers(client), startLive(client), startSending(client)]
    // A browser that keeps nothing on the device starts empty.
    void restoreAnswers(client)
      .catch(() => undefined)
      .then(() => setRestored(true))
    return () => {
      for (const stop of stops) stop()
      // Nothing of one person is left for the next.
      client.clear()
    }
  }, [client])
  if (!isRestored) return <div className={styles['starting']} aria-busy="true" />
  return <RouterProvider router={router} />
}

function Unreachable() {
  const t = useMessages(shellMessages)
  return (
    <main className={styles['alone']}>
      <h1>{t.unreachable}</h1>
      <Button kind="primary" onPress={() => void startSession()}>
        {t.retry}
      </Button>
    </main>
  )
}
