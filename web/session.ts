import { useSyncExternalStore } from 'react'

/**
 * Who uses this browser. The refresh token is in a cookie that no script sees; the access token is in this module and goes with the tab.
 * See docs/decisions/0023.
 */
export type SessionState = 'starting' | 'out' | 'in' | 'unreachable'

interface Tokens {
  readonly accessToken: string
  readonly expiresIn: number
}

/** Says only that there may be a cookie, so that a first visit asks for nothing. */
const HINT = 'coldstream.session'
const LOCK = 'coldstream.refresh'
/** An access token this close to its end is replaced first. */
const SPARE_MS = 30_000

const listeners = new Set<() => void>()
let state: SessionState = 'starting'
let token: { readonly value: string; readonly endsAt: number } | undefined
let refreshing: Promise<string | undefined> | undefined

// Another tab logged in or out: this one starts again.
window.addEventListener('storage', ({ key }) => key === HINT && location.reload())

export function useSessionState(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state,
  )
}

/** Carries on the session of this browser, if it has one. */
export async function startSession(): Promise<void> {
  if (localStorage.getItem(HINT) === null) return become('out')
  become('starting')
  try {
    await bearer()
  } catch {
    become('unreachable')
  }
}

/** @returns the answer when it was no success */
export async function logIn(username: string, password: string): Promise<Response | undefined> {
  const response = await post('login', { username, password, session: 'cookie' })
  if (!response.ok) return response
  keep((await response.json()) as Tokens)
  localStorage.setItem(HINT, String(Date.now()))
  return undefined
}

export async function logOut(): Promise<void> {
  await post('logout', { session: 'cookie' })
  forget()
}

/** The access token, a new one when the last is about to end; undefined when the session is over. Throws without a network. */
export async function bearer(): Promise<string | undefined> {
  if (token && token.endsAt - SPARE_MS > Date.now()) return token.value
  refreshing ??= refreshAlone().finally(() => {
    refreshing = undefined
  })
  return refreshing
}

/** The server did not take this token: the next call gets another. */
export function refuseToken(value: string): void {
  if (token?.value === value) token = undefined
}

/**
 * Refresh tokens are good for one use, and a second use ends the session. The tabs of a browser share the cookie, so they take turns: each sends
 * what the one before got. Locks are there in secure contexts (https, localhost); elsewhere tabs that wake at the same moment may end it.
 */
async function refreshAlone(): Promise<string | undefined> {
  const locks = navigator.locks as LockManager | undefined
  return locks ? locks.request(LOCK, refresh) : refresh()
}

async function refresh(): Promise<string | undefined> {
  const response = await post('refresh', { session: 'cookie' })
  if (response.status === 401) forget()
  else if (!response.ok) throw new Error(`refresh: ${response.status}`)
  else keep((await response.json()) as Tokens)
  return token?.value
}

// `keepalive`: a page that is left does not lose the cookie it has just been given.
async function post(what: string, body: Readonly<Record<string, string>>): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'accept-language': document.documentElement.lang }
  const init = { method: 'POST', headers, body: JSON.stringify(body), keepalive: true }
  return fetch(`/v1/auth/${what}`, init)
}

function keep({ accessToken, expiresIn }: Tokens): void {
  token = { value: accessToken, endsAt: Date.now() + expiresIn * 1000 }
  become('in')
}

function forget(): void {
  token = undefined
  localStorage.removeItem(HINT)
  become('out')
}

function become(next: SessionState): void {
  if (state === next) return
  state = next
  for (const listener of listeners) listener()
}
