import { Type, type Static } from 'typebox'
import { findContact, saveContact } from '../db/queries/people.ts'
import type { DbOrTrx } from '../db/schema.ts'
import type { ContactTable } from '../db/schema-people.ts'
import { CHANNEL_KINDS } from '../domain/escalation.ts'
import { LANGUAGES } from '../domain/language.ts'
import { closed, nullable } from './schemas.ts'
import { toRfc3339OrNull } from './time.ts'
import { audit, type Writing } from './write.ts'

const Channels = Type.Array(Type.Enum([...CHANNEL_KINDS]), {
  minItems: 1,
  maxItems: CHANNEL_KINDS.length,
  uniqueItems: true,
  description: 'Through these only, as far as they reach me; null: through every one that does.',
})
const fields = {
  language: Type.Enum([...LANGUAGES]),
  phone: nullable(
    Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$', description: 'E.164, such as `+6281234567890`.' }),
  ),
  telegramChatId: nullable(
    Type.String({
      pattern: '^(-?[0-9]{1,20}|@[A-Za-z0-9_]{5,32})$',
      description: 'As the bot sees the chat.',
    }),
  ),
  channels: nullable(Channels),
}
export const Contact = Type.Object(
  { ...fields, updatedAt: nullable(Type.String({ format: 'date-time' })) },
  { title: 'Contact' },
)
export const ContactChange = Type.Partial(Type.Object(fields, closed), { ...closed, minProperties: 1 })

const NOTHING = { language: 'en', phone: null, telegramChatId: null, channels: null, updatedAt: 0 } as const

export async function showContact(db: DbOrTrx, userId: string): Promise<Static<typeof Contact>> {
  return contactView((await findContact(db, userId)) ?? { userId, ...NOTHING })
}

/** Changes how a person is reached; whose it is was checked by the caller. */
export async function changeContact(
  { trx, caller, at }: Pick<Writing, 'trx' | 'caller' | 'at'>,
  userId: string,
  body: Static<typeof ContactChange>,
): Promise<Static<typeof Contact>> {
  const before = (await findContact(trx, userId)) ?? { userId, ...NOTHING }
  const { channels, ...rest } = body
  const kept = channels === undefined ? before.channels : channels && JSON.stringify(channels)
  const after = { ...before, ...rest, channels: kept, updatedAt: at }
  await saveContact(trx, after)
  const views = { before: contactView(before), after: contactView(after) }
  await audit(trx, caller, at, { action: 'contact.changed', entity: 'user', entityId: userId, ...views })
  return views.after
}

function contactView({
  language,
  phone,
  telegramChatId,
  channels,
  updatedAt,
}: ContactTable): Static<typeof Contact> {
  return {
    language,
    phone,
    telegramChatId,
    channels: channels === null ? null : (JSON.parse(channels) as Static<typeof Channels>),
    updatedAt: toRfc3339OrNull(updatedAt || null),
  }
}
