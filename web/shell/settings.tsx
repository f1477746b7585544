import { LANGUAGES, type Language } from '../../domain/language.ts'
import { Choice } from '../controls/choice.tsx'
import { useMessages } from '../messages.ts'
import { setPreferences, THEMES, usePreferences } from '../preferences.ts'
import { shellMessages } from './messages.ts'

/** Languages are named in themselves: whoever needs the list cannot read the others. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  id: 'Bahasa Indonesia',
  fr: 'Français',
}

export function LanguageChoice() {
  const t = useMessages(shellMessages)
  const { language } = usePreferences()
  const options = LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))
  return (
    <Choice
      label={t.language}
      options={options}
      value={language}
      onChange={(value) => setPreferences({ language: value })}
    />
  )
}

export function ThemeChoice() {
  const t = useMessages(shellMessages)
  const { theme } = usePreferences()
  const options = THEMES.map((value) => ({ value, label: t.themes[value] }))
  return (
    <Choice
      label={t.theme}
      options={options}
      value={theme}
      onChange={(value) => setPreferences({ theme: value })}
    />
  )
}
