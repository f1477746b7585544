import { useState } from 'react'
import { call, useMay, useMe } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useMessages } from '../../../messages.ts'
import styles from '../administration.module.css'
import { SaveForm } from '../save-form.tsx'
import { ContactPanel } from './contact.tsx'
import { userMessages } from './messages.ts'
import { TestMessage } from './test-message.tsx'

/** What everybody may say of themselves: how alarms reach them, and their password. */
export function Account() {
  const t = useMessages(userMessages)
  const me = useMe()
  const mayTest = useMay('testNotification')
  const [isChanging, setChanging] = useState(false)
  if (!me) return <Skeleton rows={3} />
  return (
    <>
      <header className={styles['head']}>
        <h1>{me.name}</h1>
        <p>
          {me.username} · {t.roles[me.role]}
        </p>
      </header>
      <div className={styles['buttons']}>
        <Button kind="normal" onPress={() => setChanging(true)}>
          {t.changePassword}
        </Button>
      </div>
      <ContactPanel person={me} isMe />
      {mayTest && (
        <section className={styles['panel']}>
          <h2>{t.test}</h2>
          <TestMessage userId={me.id} />
        </section>
      )}
      {isChanging && <ChangePassword onClose={() => setChanging(false)} />}
    </>
  )
}

function ChangePassword({ onClose }: { readonly onClose: () => void }) {
  const t = useMessages(userMessages)
  return (
    <SaveForm
      title={t.changePassword}
      submit={t.save}
      outdates={[]}
      onClose={onClose}
      onSaved={() => {
        toast(t.passwordChanged)
        onClose()
      }}
      save={(field) =>
        call('changeMyPassword', {
          body: {
            currentPassword: field('currentPassword') ?? '',
            newPassword: field('newPassword') ?? '',
          },
        })
      }
    >
      <TextField
        label={t.currentPassword}
        name="currentPassword"
        type="password"
        autoComplete="current-password"
        isRequired
      />
      <TextField
        label={t.newPassword}
        name="newPassword"
        type="password"
        autoComplete="new-password"
        minLength={10}
        maxLength={200}
        isRequired
      />
    </SaveForm>
  )
}
