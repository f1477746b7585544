import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, query, useMay } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Modal } from '../../controls/modal.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import type { DeviceWithToken, Facility } from '../../operations.ts'
import styles from './administration.module.css'
import { administrationMessages } from './messages.ts'
import { SaveForm } from './save-form.tsx'

const SHOWN_MAX = 200
/** In the choice of what a device watches: nothing that is there yet. */
const NEW = 'new'
const PROFILE_DEFAULT = 'who-30dtr'

interface Props {
  readonly place: Facility
}

/** The devices of a place and of all that is below it. */
export function Devices({ place }: Props) {
  const t = useMessages(administrationMessages)
  const [open, setOpen] = useState(false)
  const [made, setMade] = useState<DeviceWithToken>()
  const mayRegister = useMay('createDevice')
  const list = useQuery(query('listDevices', { query: { facilityId: place.id, limit: SHOWN_MAX } }))
  return (
    <section className={styles['panel']}>
      <h2>{t.devices}</h2>
      {list.isPending && <Skeleton rows={2} />}
      {list.isError && <ProblemNote problem={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.items.length === 0 && <p>{t.noDevices}</p>}
      <ul className={styles['plain']}>
        {list.data?.items.map(({ id, name, disabled }) => (
          <li key={id}>
            <strong>{name}</strong>
            <Chip state={disabled ? 'unknown' : 'in-range'}>{disabled ? t.disabled : t.active}</Chip>
          </li>
        ))}
      </ul>
      {mayRegister && (
        <div className={styles['buttons']}>
          <Button kind="primary" onPress={() => setOpen(true)}>
            {t.register}
          </Button>
        </div>
      )}
      {open && (
        <Register
          place={place}
          onClose={() => setOpen(false)}
          onMade={(device) => {
            setMade(device)
            setOpen(false)
          }}
        />
      )}
      {made && <Token device={made} onClose={() => setMade(undefined)} />}
    </section>
  )
}

interface RegisterProps extends Props {
  readonly onMade: (device: DeviceWithToken) => void
  readonly onClose: () => void
}

function Register({ place, onMade, onClose }: RegisterProps) {
  const t = useMessages(administrationMessages)
  const known = useQuery(query('listEquipment', { query: { facilityId: place.id, limit: SHOWN_MAX } }))
  const profiles = useQuery(query('listProfiles', { query: { limit: SHOWN_MAX } }))
  const [watches, setWatches] = useState(NEW)
  const [profile, setProfile] = useState(PROFILE_DEFAULT)
  const options = (known.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))
  return (
    <SaveForm
      title={t.register}
      submit={t.register}
      outdates={['listDevices', 'listEquipment']}
      onSaved={onMade}
      onClose={onClose}
      save={async (field) => {
        const name = field('name') ?? ''
        if (watches !== NEW) return call('createDevice', { body: { name, equipmentId: watches } })
        const equipment = await call('createEquipment', {
          body: { name: field('equipment') ?? '', facilityId: place.id, kind: 'refrigerator', profile },
        })
        // Should the device be refused, the refrigerator is there for the next try.
        setWatches(equipment.id)
        await known.refetch()
        return call('createDevice', { body: { name, equipmentId: equipment.id } })
      }}
    >
      <TextField label={t.device} name="name" maxLength={200} isRequired />
      <Choice
        label={t.watches}
        options={[...options, { value: NEW, label: t.newEquipment }]}
        value={watches}
        onChange={setWatches}
      />
      {watches === NEW && (
        <>
          <TextField label={t.equipmentName} name="equipment" maxLength={200} isRequired />
          <Choice
            label={t.profile}
            options={(profiles.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            value={profile}
            onChange={setProfile}
          />
        </>
      )}
    </SaveForm>
  )
}

interface TokenProps {
  readonly device: DeviceWithToken
  readonly onClose: () => void
}

/** The one time that the token is seen. */
function Token({ device, onClose }: TokenProps) {
  const t = useMessages(administrationMessages)
  const token = device.accessToken ?? ''
  // Browsers give the clipboard to pages over https and on this machine alone; elsewhere people select the text.
  const clipboard = navigator.clipboard as Clipboard | undefined
  return (
    <Modal isOpen isOnce title={`${t.tokenTitle}: ${device.name}`} onClose={onClose}>
      <p>{t.tokenOnce}</p>
      <code className={styles['token']}>{token}</code>
      <div className={styles['buttons']}>
        {clipboard && (
          <Button kind="normal" onPress={() => void clipboard.writeText(token).then(() => toast(t.copied))}>
            {t.copy}
          </Button>
        )}
        <Button kind="primary" onPress={onClose}>
          {t.done}
        </Button>
      </div>
    </Modal>
  )
}
