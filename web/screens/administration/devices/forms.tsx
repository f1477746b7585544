import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, wholeList } from '../../../api.ts'
import { Choice } from '../../../controls/choice.tsx'
import { NumberField } from '../../../controls/number-field.tsx'
import { TextField } from '../../../controls/text-field.tsx'
import { toast } from '../../../controls/toasts.tsx'
import { useMessages } from '../../../messages.ts'
import type { DeviceDetail } from '../../../operations.ts'
import { Ask } from '../ask.tsx'
import { Once } from '../once.tsx'
import { SaveForm } from '../save-form.tsx'
import { deviceMessages } from './messages.ts'

const MINUTES_MAX = 129_600

interface Props {
  readonly device: DeviceDetail
  readonly onClose: () => void
}

/** Its name, what it watches, how often it is to speak. What it watches is chosen from the place where it stands. */
export function EditDevice({ device, onClose }: Props) {
  const t = useMessages(deviceMessages)
  const { id, name, facilityId, watch } = device
  const known = useQuery({
    ...wholeList('listEquipment', facilityId === null ? {} : { facilityId }),
  }).data?.items
  const [equipmentId, setEquipmentId] = useState(device.equipmentId ?? '')
  const set =
    watch?.cadenceIs === 'set' && watch.cadenceSeconds !== null ? watch.cadenceSeconds / 60 : Number.NaN
  const [minutes, setMinutes] = useState(set)
  const options = (known ?? []).map((one) => ({ value: one.id, label: one.name }))
  // Nothing was changed: nothing is said, so that what was learned stays learned.
  const isSame = Object.is(minutes, set)
  return (
    <SaveForm
      title={`${t.edit}: ${name}`}
      submit={t.save}
      outdates={['listDevices', 'getDevice']}
      onClose={onClose}
      save={(field) =>
        call('updateDevice', {
          params: { id },
          body: {
            name: field('name') ?? '',
            ...(equipmentId !== '' && { equipmentId }),
            ...(!isSame && { expectedCadenceSeconds: Number.isNaN(minutes) ? null : minutes * 60 }),
          },
        })
      }
      onSaved={(saved) => {
        toast(t.saved(saved.name))
        onClose()
      }}
    >
      <TextField label={t.name} name="name" defaultValue={name} maxLength={200} isRequired />
      <Choice
        label={t.place}
        options={equipmentId === '' ? [{ value: '', label: t.nowhere }, ...options] : options}
        value={equipmentId}
        onChange={setEquipmentId}
      />
      <NumberField
        label={t.expected}
        hint={t.expectedHelp}
        minValue={1}
        maxValue={MINUTES_MAX}
        value={minutes}
        onChange={setMinutes}
      />
    </SaveForm>
  )
}

export function NewToken({ device, onClose }: Props) {
  const t = useMessages(deviceMessages)
  const [token, setToken] = useState<string>()
  const title = `${t.tokenTitle}: ${device.name}`
  if (token !== undefined)
    return <Once title={title} lead={t.tokenOnce} secrets={[{ text: token }]} onClose={onClose} />
  return (
    <Ask
      title={`${t.token}: ${device.name}`}
      lead={t.tokenAsk}
      submit={t.token}
      outdates={['getDevice']}
      act={() => call('rotateDeviceToken', { params: { id: device.id } })}
      onDone={({ accessToken }) => setToken(accessToken ?? '')}
      onClose={onClose}
    />
  )
}

export function SwitchDevice({ device, onClose }: Props) {
  const t = useMessages(deviceMessages)
  const title = device.disabled ? t.enable : t.disable
  return (
    <Ask
      title={`${title}: ${device.name}`}
      lead={device.disabled ? undefined : t.disableAsk}
      submit={title}
      outdates={['getDevice', 'listDevices']}
      act={() => call('updateDevice', { params: { id: device.id }, body: { disabled: !device.disabled } })}
      onDone={({ name }) => {
        toast(t.saved(name))
        onClose()
      }}
      onClose={onClose}
    />
  )
}
