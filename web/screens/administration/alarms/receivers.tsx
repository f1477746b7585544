import { useQuery } from '@tanstack/react-query'
import { LEVELS } from '../../../../domain/role.ts'
import { query, wholeList } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { UserPicker } from '../../../controls/user-picker.tsx'
import { useMessages } from '../../../messages.ts'
import type { EscalationPolicy } from '../../../operations.ts'
import styles from '../administration.module.css'
import { useUserName } from '../names.tsx'
import { alarmMessages } from './messages.ts'

export type Receivers = EscalationPolicy['levels'][number]['who'][number]

const ROLES = ['operator', 'manager', 'viewer'] as const

/** What it is chosen by, and told apart by. */
export function keyOf(one: Receivers): string {
  switch (one.kind) {
    case 'role':
      return `role ${one.role} ${one.level}`
    case 'onCall':
      return `onCall ${one.onCallListId}`
    case 'user':
      return one.userId
  }
}

function receiversOf(key: string): Receivers {
  const [kind = '', first = '', second] = key.split(' ')
  if (kind === 'onCall') return { kind: 'onCall', onCallListId: first }
  const role = ROLES.find((one) => one === first)
  const level = LEVELS.find((one) => one === second)
  return role && level ? { kind: 'role', role, level } : { kind: 'user', userId: key }
}

/** In words: a role of a level, a person, a list. */
export function useReceiversName(one: Receivers): string {
  const t = useMessages(alarmMessages)
  const lists = useQuery({ ...wholeList('listOnCallLists', {}), enabled: one.kind === 'onCall' }).data
  const user = useUserName(one.kind === 'user' ? one.userId : '', t.unknown)
  switch (one.kind) {
    case 'role':
      return `${t.roles[one.role]} ${t.at[one.level]}`
    case 'onCall':
      return t.onCallOf(lists?.items.find(({ id }) => id === one.onCallListId)?.name ?? '…')
    case 'user':
      return user
  }
}

export function ReceiversName({ of }: { readonly of: Receivers }) {
  return <>{useReceiversName(of)}</>
}

interface PickerProps {
  readonly label: string
  readonly value: readonly Receivers[]
  readonly onChange: (value: readonly Receivers[]) => void
}

/** Who is told at one level: those chosen, and one more. */
export function ReceiversPicker({ label, value, onChange }: PickerProps) {
  const t = useMessages(alarmMessages)
  const lists = useQuery(query('listOnCallLists', { query: { limit: 200 } })).data?.items ?? []
  const roles = ROLES.flatMap((role) =>
    LEVELS.toReversed().map((level) => ({
      id: keyOf({ kind: 'role', role, level }),
      name: `${t.roles[role]} ${t.at[level]}`,
    })),
  )
  const chosen = new Set(value.map(keyOf))
  const beside = [...roles, ...lists.map(({ id, name }) => ({ id: `onCall ${id}`, name: t.onCallOf(name) }))]
  return (
    <div className={styles['group']} role="group" aria-label={label}>
      <ul className={styles['plain']}>
        {value.map((one) => (
          <Chosen
            key={keyOf(one)}
            of={one}
            onRemove={() => onChange(value.filter((other) => keyOf(other) !== keyOf(one)))}
          />
        ))}
      </ul>
      <UserPicker
        label={t.add}
        beside={beside.filter(({ id }) => !chosen.has(id))}
        onAdd={(key) => chosen.has(key) || onChange([...value, receiversOf(key)])}
      />
    </div>
  )
}

function Chosen({ of, onRemove }: { readonly of: Receivers; readonly onRemove: () => void }) {
  const t = useMessages(alarmMessages)
  const name = useReceiversName(of)
  return (
    <li>
      {name}
      <Button kind="quiet" aria-label={t.removeWho(name)} onPress={onRemove}>
        <Icon name="close" />
      </Button>
    </li>
  )
}
