/** The languages in which people are spoken to. English first: it is what answers when nobody asked for anything that there is. */
export const LANGUAGES = ['en', 'id', 'fr'] as const
export type Language = (typeof LANGUAGES)[number]
