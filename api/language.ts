import type { FastifyReply, FastifyRequest } from 'fastify'
import { DETAILS } from '../domain/details.ts'
import { TITLES_FR } from '../domain/errors-fr.ts'
import { TITLES_ID } from '../domain/errors-id.ts'
import { ERRORS, type ErrorCode } from '../domain/errors.ts'
import { LANGUAGES, type Language } from '../domain/language.ts'

/** A header of more than this many languages is not read to its end. */
const ASKED_MAX = 20

/** The best language of an `Accept-Language` (RFC 9110, 12.5.4); English when it names none that we speak. */
export function languageOf(header: string | undefined): Language {
  const asked = (header ?? '').split(',', ASKED_MAX).map((range) => {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    const quality = q === undefined ? 1 : Number(q.slice(2))
    // `in` is what old Android calls Indonesian.
    const primary = tag.split('-', 1)[0]?.replace(/^in$/, 'id')
    return { language: LANGUAGES.find((one) => one === primary), quality }
  })
  const best = asked
    .filter(({ language, quality }) => language !== undefined && quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
  return best[0]?.language ?? 'en'
}

/** The language of an answer, and says in its headers that it was chosen. */
export function chooseLanguage(request: FastifyRequest, reply: FastifyReply): Language {
  const language = languageOf(request.headers['accept-language'])
  reply.header('content-language', language)
  const vary = reply.getHeader('vary')
  reply.header('vary', vary === undefined ? 'accept-language' : `${String(vary)}, accept-language`)
  return language
}

/** A fixed sentence in this language; as it is, when it is made of what somebody sent. */
export function detailIn(language: Language, sentence: string): string {
  return language === 'en' ? sentence : (DETAILS[sentence]?.[language] ?? sentence)
}

export function titleOf(code: ErrorCode, language: Language): string {
  switch (language) {
    case 'en':
      return ERRORS[code][1]
    case 'id':
      return TITLES_ID[code]
    case 'fr':
      return TITLES_FR[code]
  }
}

/** What is wrong with a field of a request, where the schema's own words would not help a person. */
export const FIELD_MESSAGES = {
  required: { en: 'is required', id: 'wajib diisi', fr: 'est obligatoire' },
  unknown: { en: 'is not known here', id: 'tidak dikenal di sini', fr: "n'est pas connu ici" },
  integer: { en: 'must be integer', id: 'harus bilangan bulat', fr: 'doit être un nombre entier' },
  form: { en: 'has the wrong form', id: 'bentuknya salah', fr: "n'a pas la bonne forme" },
  minimum: { en: 'must be >= {limit}', id: 'harus >= {limit}', fr: 'doit être >= {limit}' },
  maximum: { en: 'must be <= {limit}', id: 'harus <= {limit}', fr: 'doit être <= {limit}' },
  enum: { en: 'must be one of {limit}', id: 'harus salah satu dari {limit}', fr: 'doit être parmi {limit}' },
} as const satisfies Record<string, Record<Language, string>>
