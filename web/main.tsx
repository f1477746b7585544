import './styles.css'
import { onlineManager, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem } from './api.ts'
import { App } from './shell/app.tsx'
import { startSession } from './session.ts'

const RETRIES_MAX = 2

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      refetchOnWindowFocus: 'always',
      // A refusal stays a refusal; a network may come back.
      retry: (failures, error) => failures < RETRIES_MAX && !(error instanceof Problem && error.status < 500),
    },
  },
})

// It only hears of changes.
onlineManager.setOnline(navigator.onLine)

const root = document.getElementById('root')
if (!root) throw new Error('the page has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
void startSession()
if (import.meta.env.PROD) void navigator.serviceWorker?.register('/sw.js').catch(() => undefined)
