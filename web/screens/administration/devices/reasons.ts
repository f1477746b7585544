import { TITLES_FR } from '../../../../domain/errors-fr.ts'
import { TITLES_ID } from '../../../../domain/errors-id.ts'
import { ERRORS, type ErrorCode } from '../../../../domain/errors.ts'
import type { Language } from '../../../../domain/language.ts'

/** The codes for which what devices send is refused. */
export const REASONS = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => /^(packet|reading)\./.test(code))

/** What a code means; as it is, when this version does not know it. */
export function reasonIn(language: Language, code: string): string {
  if (!Object.hasOwn(ERRORS, code)) return code
  const known = code as ErrorCode
  switch (language) {
    case 'en':
      return ERRORS[known][1]
    case 'id':
      return TITLES_ID[known]
    case 'fr':
      return TITLES_FR[known]
  }
}
