import { useState } from 'react'
import { GRANTABLE } from '../../../../domain/permissions.ts'
import type { Role } from '../../../../domain/role.ts'
import { call, useMe } from '../../../api.ts'
import { Choice } from '../../../controls/choice.tsx'
import { PlacePicker } from '../../../controls/place-picker.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useMessages } from '../../../messages.ts'
import type { SeenUser } from '../../../operations.ts'
import styles from '../administration.module.css'
import { Once } from '../once.tsx'
import { SaveForm } from '../save-form.tsx'
import { userMessages } from './messages.ts'
import { makePassword } from './password.ts'

interface AddProps {
  /** The place that is suggested. */
  readonly facilityId: string | undefined
  readonly onClose: () => void
}

interface HandOver {
  readonly name: string
  readonly username: string
  readonly password: string
}

/** A new person; then what they need to log in, once. */
export function AddUser({ facilityId, onClose }: AddProps) {
  const t = useMessages(userMessages)
  const [made, setMade] = useState<HandOver>()
  const acting = useActing(undefined, facilityId)
  const [suggested] = useState(makePassword)
  if (made) return <Given to={made} lead={t.handOverOnce} onClose={onClose} />
  return (
    <SaveForm
      title={t.add}
      submit={t.add}
      outdates={['listUsers']}
      onSaved={setMade}
      onClose={onClose}
      check={() => acting.missing}
      save={async (field) => {
        const password = field('password') ?? ''
        const user = await call('createUser', {
          body: {
            name: field('name') ?? '',
            username: field('username') ?? '',
            email: field('email') ?? null,
            password,
            ...acting.chosen,
          },
        })
        return { name: user.name, username: user.username, password }
      }}
    >
      <TextField label={t.name} name="name" maxLength={200} isRequired />
      <TextField
        label={t.username}
        hint={t.usernameHelp}
        name="username"
        spellCheck="false"
        autoComplete="off"
        minLength={2}
        maxLength={100}
        isRequired
      />
      <ActingFields acting={acting} />
      <TextField label={t.email} name="email" type="email" maxLength={200} autoComplete="off" />
      <TextField
        label={t.password}
        hint={t.passwordHelp}
        name="password"
        defaultValue={suggested}
        autoComplete="off"
        spellCheck="false"
        minLength={10}
        maxLength={200}
        isRequired
      />
    </SaveForm>
  )
}

interface OfUser {
  readonly user: SeenUser
  readonly onClose: () => void
}

export function EditUser({ user, onClose }: OfUser) {
  const t = useMessages(userMessages)
  const me = useMe()
  const acting = useActing(user, user.facilityId ?? undefined)
  // Nobody changes their own role or place, nor that of somebody whose role they may not give.
  const mayMove = me !== undefined && me.id !== user.id && acting.roles.includes(user.role)
  return (
    <SaveForm
      title={`${t.edit}: ${user.name}`}
      submit={t.save}
      outdates={['listUsers', 'getUser']}
      onClose={onClose}
      check={() => (mayMove ? acting.missing : undefined)}
      save={(field) =>
        call('updateUser', {
          params: { id: user.id },
          body: {
            name: field('name') ?? '',
            email: field('email') ?? null,
            ...(mayMove && acting.chosen),
          },
        })
      }
      onSaved={({ name }) => {
        toast(t.saved(name))
        onClose()
      }}
    >
      <TextField label={t.name} name="name" defaultValue={user.name} maxLength={200} isRequired />
      <TextField label={t.email} name="email" type="email" defaultValue={user.email ?? ''} maxLength={200} />
      {mayMove ? <ActingFields acting={acting} /> : <p className={styles['soft']}>{t.isMe}</p>}
    </SaveForm>
  )
}

export function ResetPassword({ user, onClose }: OfUser) {
  const t = useMessages(userMessages)
  const [made, setMade] = useState<string>()
  const [suggested] = useState(makePassword)
  const { name, username } = user
  if (made !== undefined)
    return <Given to={{ name, username, password: made }} lead={t.resetDone} onClose={onClose} />
  return (
    <SaveForm
      title={`${t.reset}: ${name}`}
      submit={t.save}
      outdates={['listUsers', 'getUser']}
      onClose={onClose}
      onSaved={setMade}
      save={async (field) => {
        const password = field('password') ?? ''
        await call('updateUser', { params: { id: user.id }, body: { password } })
        return password
      }}
    >
      <TextField
        label={t.newPassword}
        hint={t.passwordHelp}
        name="password"
        defaultValue={suggested}
        autoComplete="off"
        spellCheck="false"
        minLength={10}
        maxLength={200}
        isRequired
      />
    </SaveForm>
  )
}

function Given({ to, lead, onClose }: { to: HandOver; lead: string; onClose: () => void }) {
  const t = useMessages(userMessages)
  return (
    <Once
      title={t.handOver(to.name)}
      lead={lead}
      secrets={[
        { label: t.username, text: to.username },
        { label: t.newPassword, text: to.password },
      ]}
      onClose={onClose}
    />
  )
}

/** The role of a person and where they act, as far as the person at the screen may give them. */
function useActing(user: SeenUser | undefined, suggested: string | undefined) {
  const t = useMessages(userMessages)
  const me = useMe()
  const roles: readonly Role[] = me ? GRANTABLE[me.role] : []
  const [role, setRole] = useState<Role>(user?.role ?? 'operator')
  const [place, setPlace] = useState(suggested)
  const facilityId = place ?? me?.facilityId ?? undefined
  const isEverywhere = role === 'administrator'
  return {
    roles,
    role,
    setRole,
    facilityId,
    setPlace,
    isEverywhere,
    missing: isEverywhere || facilityId !== undefined ? undefined : t.placeNeeded,
    chosen: { role, facilityId: isEverywhere ? null : (facilityId ?? null) },
  }
}

function ActingFields({ acting }: { readonly acting: ReturnType<typeof useActing> }) {
  const t = useMessages(userMessages)
  const { roles, role, setRole, facilityId, setPlace, isEverywhere } = acting
  return (
    <>
      <Choice
        label={t.role}
        options={roles.map((value) => ({ value, label: t.roles[value] }))}
        value={role}
        onChange={setRole}
      />
      <p className={styles['hint']}>
        {t.rolesDo[role]} {!roles.includes('administrator') && t.notYours}
      </p>
      {!isEverywhere && <PlacePicker label={t.place} value={facilityId} onChange={setPlace} isOne />}
    </>
  )
}
