import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { CHANNEL_KINDS, type ChannelKind } from '../../../../domain/escalation.ts'
import { LANGUAGES, type Language } from '../../../../domain/language.ts'
import { call, query } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Check } from '../../../controls/check.tsx'
import { Choice } from '../../../controls/choice.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useMessages } from '../../../messages.ts'
import type { Contact, User } from '../../../operations.ts'
import { LANGUAGE_NAMES } from '../../../shell/settings.tsx'
import styles from '../administration.module.css'
import { Facts } from '../facts.tsx'
import { SaveForm } from '../save-form.tsx'
import { userMessages } from './messages.ts'

interface Props {
  readonly person: Pick<User, 'id' | 'name' | 'email'>
  /** It is the person at the screen, who may always say this. */
  readonly isMe: boolean
}

/** The ways by which alarms reach a person. */
export function ContactPanel({ person, isMe }: Props) {
  const t = useMessages(userMessages)
  const [isEditing, setEditing] = useState(false)
  const theirs = useQuery({ ...query('getContact', { params: { id: person.id } }), enabled: !isMe })
  const mine = useQuery({ ...query('getMyContact', {}), enabled: isMe })
  const contact = isMe ? mine : theirs
  return (
    <section className={styles['panel']}>
      <h2>{t.contact}</h2>
      {contact.isPending && <Skeleton rows={1} />}
      {contact.isError && <ProblemNote problem={contact.error} onRetry={() => void contact.refetch()} />}
      {contact.data && (
        <>
          <Ways email={person.email} contact={contact.data} />
          <div className={styles['buttons']}>
            <Button kind="normal" aria-label={`${t.edit}: ${t.contact}`} onPress={() => setEditing(true)}>
              {t.edit}
            </Button>
          </div>
        </>
      )}
      {isEditing && contact.data && (
        <EditContact person={person} isMe={isMe} contact={contact.data} onClose={() => setEditing(false)} />
      )}
    </section>
  )
}

function Ways({ email, contact }: { readonly email: string | null; readonly contact: Contact }) {
  const t = useMessages(userMessages)
  const { language, phone, telegramChatId, channels } = contact
  return (
    <Facts
      facts={[
        [t.language, LANGUAGE_NAMES[language]],
        [t.emailShort, email ?? t.none],
        [t.phone, phone ?? t.none],
        [t.telegram, telegramChatId ?? t.none],
        [t.channels, channels?.map((one) => t.channelNames[one]).join(', ') ?? t.channelsAll],
      ]}
    />
  )
}

function EditContact({ person, isMe, contact, onClose }: Props & { contact: Contact; onClose: () => void }) {
  const t = useMessages(userMessages)
  const [language, setLanguage] = useState<Language>(contact.language)
  const [channels, setChannels] = useState<readonly ChannelKind[]>(contact.channels ?? CHANNEL_KINDS)
  const toggle = (kind: ChannelKind, isWanted: boolean) =>
    setChannels(CHANNEL_KINDS.filter((one) => (one === kind ? isWanted : channels.includes(one))))
  return (
    <SaveForm
      title={`${t.contact}: ${person.name}`}
      submit={t.save}
      outdates={['getContact', 'getMyContact']}
      onClose={onClose}
      onSaved={() => {
        toast(t.saved(person.name))
        onClose()
      }}
      save={(field) => {
        const body = {
          language,
          phone: field('phone')?.replaceAll(/[\s-]/g, '') ?? null,
          telegramChatId: field('telegramChatId') ?? null,
          // All of them, and none: whatever reaches the person.
          channels: [0, CHANNEL_KINDS.length].includes(channels.length) ? null : channels,
        }
        return isMe
          ? call('updateMyContact', { body })
          : call('updateContact', { params: { id: person.id }, body })
      }}
    >
      <Choice
        label={t.language}
        options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
        value={language}
        onChange={setLanguage}
      />
      <TextField
        label={t.phone}
        hint={t.phoneHelp}
        name="phone"
        type="tel"
        defaultValue={contact.phone ?? ''}
        maxLength={30}
      />
      <TextField
        label={t.telegram}
        hint={t.telegramHelp}
        name="telegramChatId"
        defaultValue={contact.telegramChatId ?? ''}
        maxLength={40}
      />
      <fieldset className={styles['group']}>
        <legend>{t.channels}</legend>
        {CHANNEL_KINDS.map((kind) => (
          <Check
            key={kind}
            label={t.channelNames[kind]}
            isSelected={channels.includes(kind)}
            onChange={(isWanted) => toggle(kind, isWanted)}
          />
        ))}
      </fieldset>
    </SaveForm>
  )
}
