import { useSyncExternalStore } from 'react'
import { forgetAnswers } from './kept.ts'
import type { User } from './operations.ts'

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
/** Who they are, without any token: enough to show what is kept on the device when there is no network. */
const PERSON = 'coldstream.person'
/** Somebody logged out without a network: the server is told first thing when there is one. */
const LEAVING = 'coldstream.leaving'
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
  if (localStorage.getItem(LEAVING) !== null) void leave()
  if (localStorage.getItem(HINT) === null) return become('out')
  become('starting')
  try {
    await bearer()
  } catch {
    // They see what is kept and what they do waits here; nothing is sent until the session is renewed.
    become(rememberedPerson() ? 'in' : 'unreachable')
  }
}

/** Who is logged in at this browser, as far as it was ever told; also without a network. */
export function rememberedPerson(): User | undefined {
  try {
    return (JSON.parse(localStorage.getItem(PERSON) ?? 'null') as User | null) ?? undefined
  } catch {
    return undefined
  }
}

export function rememberPerson(person: User): void {
  localStorage.setItem(PERSON, JSON.stringify(person))
}

/** @returns the answer when it was no success */
export async function logIn(username: string, password: string): Promise<Response | undefined> {
  const response = await post('login', { username, password, session: 'cookie' })
  if (!response.ok) return response
  localStorage.removeItem(LEAVING)
  localStorage.removeItem(PERSON)
  keep((await response.json()) as Tokens)
  localStorage.setItem(HINT, String(Date.now()))
  return undefined
}

export async function logOut(): Promise<void> {
  forget()
  localStorage.setItem(LEAVING, 'true')
  await leave()
}

async function leave(): Promise<void> {
  const told = await post('logout', { session: 'cookie' }).catch(() => undefined)
  if (told?.ok) localStorage.removeItem(LEAVING)
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
  localStorage.removeItem(PERSON)
  void forgetAnswers().catch(() => undefined)
  become('out')
}

function become(next: SessionState): void {
  if (state === next) return
  state = next
  for (const listener of listeners) listener()
}
