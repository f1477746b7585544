import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { GRANTABLE } from '../../../../domain/permissions.ts'
import type { Role } from '../../../../domain/role.ts'
import { call, Problem, query, useMe } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { SeenUser } from '../../../operations.ts'
import { NotFound } from '../../../shell/not-found.tsx'
import styles from '../administration.module.css'
import { Ask } from '../ask.tsx'
import { Facts } from '../facts.tsx'
import { ContactPanel } from './contact.tsx'
import { EditUser, ResetPassword } from './forms.tsx'
import { StateChip } from './list.tsx'
import { userMessages } from './messages.ts'
import { TestMessage } from './test-message.tsx'

const route = getRouteApi('/administration/users/$userId')

export function UserPage() {
  const { userId } = route.useParams()
  const user = useQuery(query('getUser', { params: { id: userId } }))
  if (user.error instanceof Problem && [400, 404].includes(user.error.status)) return <NotFound />
  if (user.isError) return <ProblemNote problem={user.error} onRetry={() => void user.refetch()} />
  if (!user.data) return <Skeleton rows={4} />
  return <Found user={user.data} />
}

function Found({ user }: { readonly user: SeenUser }) {
  const t = useMessages(userMessages)
  const format = useFormat()
  const me = useMe()
  const { facilityName, timeZone, lastSeenAt } = user
  return (
    <>
      <Link to="/administration/users" className={styles['back']}>
        <Icon name="back" /> {t.title}
      </Link>
      <header className={styles['head']}>
        <h1>{user.name}</h1>
        <p>
          {t.roles[user.role]} · {facilityName ?? t.everywhere}
        </p>
        <p>
          <StateChip disabled={user.disabled} />
        </p>
      </header>
      <Acts user={user} />
      <section className={styles['panel']}>
        <Facts
          facts={[
            [t.username, user.username],
            [t.emailShort, user.email ?? t.none],
            [t.seen, lastSeenAt === null ? t.notSeen : format.time(lastSeenAt, timeZone)],
            [t.created, format.time(user.createdAt, timeZone)],
          ]}
        />
      </section>
      <ContactPanel person={user} isMe={me?.id === user.id} />
      <section className={styles['panel']}>
        <h2>{t.test}</h2>
        <TestMessage userId={user.id} />
      </section>
    </>
  )
}

function Acts({ user }: { readonly user: SeenUser }) {
  const t = useMessages(userMessages)
  const me = useMe()
  const [open, setOpen] = useState<'edit' | 'reset' | 'switch'>()
  const onClose = () => setOpen(undefined)
  if (!me) return undefined
  const given: readonly Role[] = GRANTABLE[me.role]
  const isTheirs = me.id !== user.id && given.includes(user.role)
  return (
    <div className={styles['buttons']}>
      <Button kind="normal" onPress={() => setOpen('edit')}>
        {t.edit}
      </Button>
      {isTheirs && (
        <>
          <Button kind="normal" onPress={() => setOpen('reset')}>
            {t.reset}
          </Button>
          <Button kind="normal" onPress={() => setOpen('switch')}>
            {user.disabled ? t.enable : t.disable}
          </Button>
        </>
      )}
      {open === 'edit' && <EditUser user={user} onClose={onClose} />}
      {open === 'reset' && <ResetPassword user={user} onClose={onClose} />}
      {open === 'switch' && <Switch user={user} onClose={onClose} />}
    </div>
  )
}

/** Off asks first: they are thrown out at once. */
function Switch({ user, onClose }: { readonly user: SeenUser; readonly onClose: () => void }) {
  const t = useMessages(userMessages)
  const title = user.disabled ? t.enable : t.disable
  return (
    <Ask
      title={`${title}: ${user.name}`}
      lead={user.disabled ? undefined : t.disableAsk}
      submit={title}
      outdates={['getUser', 'listUsers']}
      act={() => call('updateUser', { params: { id: user.id }, body: { disabled: !user.disabled } })}
      onDone={({ name }) => {
        toast(t.saved(name))
        onClose()
      }}
      onClose={onClose}
    />
  )
}
