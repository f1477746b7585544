import type { Language } from '../domain/language.ts'
import { usePreferences } from './preferences.ts'

/** The same keys and arguments as the English messages `T`; a missing or an extra key does not compile. */
type Translated<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Translated<T[K]>
}

export interface Messages<T> {
  readonly en: T
  readonly id: Translated<T>
  readonly fr: Translated<T>
}

/** The messages of one screen in every language; English is the type of the others. */
export function messages<const T>(all: Messages<T>): Messages<T> {
  return all
}

/** The messages of a screen in the language of the person. */
export function useMessages<T>(all: Messages<T>): Translated<T> {
  return all[usePreferences().language] as Translated<T>
}

interface Forms {
  readonly one?: string
  readonly other: string
}

/** The right form for a number; `#` in it is the number. Indonesian has one form, French says "0 lot" like "1 lot". */
export function plural(language: Language, n: number, forms: Forms): string {
  const form = new Intl.PluralRules(language).select(n) === 'one' ? (forms.one ?? forms.other) : forms.other
  return form.replace('#', new Intl.NumberFormat(language).format(n))
}
