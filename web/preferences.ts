import { useSyncExternalStore } from 'react'
import { LANGUAGES, type Language } from '../domain/language.ts'

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const
export type Theme = (typeof THEMES)[number]

/** What a person chose for this device; kept in the browser. */
export interface Preferences {
  readonly language: Language
  readonly theme: Theme
}

const KEY = 'coldstream.preferences'
const listeners = new Set<() => void>()
let preferences = read()
apply()

export function setPreferences(change: Partial<Preferences>): void {
  preferences = { ...preferences, ...change }
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences))
  } catch {
    // A browser that keeps nothing forgets this with the tab.
  }
  apply()
  for (const listener of listeners) listener()
}

export function currentLanguage(): Language {
  return preferences.language
}

const SYSTEM = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((one) => matchMedia(one))
const systemLook = () => SYSTEM.map(({ matches }) => matches).join(' ')

/** Changes whenever the colours of the page do: for what is painted once, as a canvas is. */
export function useAppearance(): string {
  const { theme } = usePreferences()
  const system = useSyncExternalStore((listener) => {
    for (const one of SYSTEM) one.addEventListener('change', listener)
    return () => {
      for (const one of SYSTEM) one.removeEventListener('change', listener)
    }
  }, systemLook)
  return `${theme} ${system}`
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => preferences,
  )
}

function read(): Preferences {
  const kept = parse()
  return {
    language: LANGUAGES.find((one) => one === kept['language']) ?? browserLanguage(),
    theme: THEMES.find((one) => one === kept['theme']) ?? 'system',
  }
}

function parse(): Record<string, unknown> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>
  } catch {
    return {}
  }
}

function browserLanguage(): Language {
  const primary = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())
  return primary.map((tag) => LANGUAGES.find((one) => one === tag)).find((one) => one) ?? 'en'
}

function apply(): void {
  const { dataset } = document.documentElement
  document.documentElement.lang = preferences.language
  if (preferences.theme === 'system') delete dataset['theme']
  else dataset['theme'] = preferences.theme
}
