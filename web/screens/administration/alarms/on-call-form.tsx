import { useState } from 'react'
import { call } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { NumberField } from '../../../controls/number-field.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { UserPicker } from '../../../controls/user-picker.tsx'
import { useMessages } from '../../../messages.ts'
import type { OnCallList } from '../../../operations.ts'
import styles from '../administration.module.css'
import { useUserName } from '../names.tsx'
import { SaveForm } from '../save-form.tsx'
import { alarmMessages } from './messages.ts'

const WEEKS_MAX = 8
const TURNS_MAX = 52
/** Of a new list. */
const FIRST: NonNullable<OnCallList['rota']> = { startsOn: '', handoverAt: '08:00', weeks: 1, userIds: [] }

interface Props {
  readonly facilityId: string
  readonly known: OnCallList | undefined
  readonly onClose: () => void
}

/** Who takes turns, in which order, handed over when. */
export function OnCallForm({ facilityId, known, onClose }: Props) {
  const t = useMessages(alarmMessages)
  const rota = known?.rota ?? FIRST
  const [userIds, setUserIds] = useState(rota.userIds)
  const [weeks, setWeeks] = useState(rota.weeks ?? 1)
  const shifts = known?.shifts.length ?? 0
  return (
    <SaveForm
      title={known ? `${t.change}: ${known.name}` : t.onCallAdd}
      submit={t.save}
      outdates={['listOnCallLists']}
      onClose={onClose}
      check={() => (userIds.length === 0 && shifts === 0 ? t.noTurns : undefined)}
      save={(field) => {
        const name = field('name') ?? ''
        const times = { startsOn: field('startsOn') ?? '', handoverAt: field('handoverAt') ?? '' }
        const turns = { ...times, weeks: Number.isNaN(weeks) ? 1 : weeks, userIds }
        const body = { name, rota: userIds.length === 0 ? null : turns }
        return known
          ? call('updateOnCallList', { params: { id: known.id }, body })
          : call('createOnCallList', { body: { ...body, facilityId } })
      }}
      onSaved={({ name }) => {
        toast(t.saved(name))
        onClose()
      }}
    >
      <TextField label={t.name} name="name" defaultValue={known?.name ?? ''} maxLength={200} isRequired />
      <Turns userIds={userIds} onChange={setUserIds} />
      <div className={styles['pair']}>
        <TextField
          label={t.startsOn}
          name="startsOn"
          type="date"
          defaultValue={rota.startsOn || lastMonday()}
          isRequired
        />
        <TextField
          label={t.handoverAt}
          name="handoverAt"
          type="time"
          defaultValue={rota.handoverAt}
          isRequired
        />
      </div>
      <NumberField label={t.weeks} minValue={1} maxValue={WEEKS_MAX} value={weeks} onChange={setWeeks} />
      {shifts > 0 && <p className={styles['soft']}>{t.shiftsKept(shifts)}</p>}
    </SaveForm>
  )
}

interface TurnsProps {
  readonly userIds: readonly string[]
  readonly onChange: (userIds: readonly string[]) => void
}

/** Somebody may be in turn more than once, so that it is the place in the list that is taken out. */
function Turns({ userIds, onChange }: TurnsProps) {
  const t = useMessages(alarmMessages)
  return (
    <fieldset className={styles['group']}>
      <legend>{t.turns}</legend>
      <ol className={styles['plain']}>
        {userIds.map((id, index) => (
          <Turn
            key={`${index} ${id}`}
            id={id}
            number={index + 1}
            onRemove={() => onChange(userIds.toSpliced(index, 1))}
          />
        ))}
      </ol>
      {userIds.length < TURNS_MAX && (
        <UserPicker label={t.addPerson} onAdd={(id) => onChange([...userIds, id])} />
      )}
    </fieldset>
  )
}

interface TurnProps {
  readonly id: string
  readonly number: number
  readonly onRemove: () => void
}

function Turn({ id, number, onRemove }: TurnProps) {
  const t = useMessages(alarmMessages)
  const name = useUserName(id, t.unknown)
  return (
    <li>
      {t.turn(number, name)}
      <Button kind="quiet" aria-label={t.removeWho(name)} onPress={onRemove}>
        <Icon name="close" />
      </Button>
    </li>
  )
}

/** So that the first in turn is on call at once. */
function lastMonday(): string {
  const day = new Date()
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  return day.toISOString().slice(0, 10)
}
