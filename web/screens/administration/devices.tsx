import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { call, useMay, wholeList } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { Choice } from '../../controls/choice.tsx'
import { PagedList } from '../../controls/paged-list.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { useMessages } from '../../messages.ts'
import type { DeviceWithToken, Facility } from '../../operations.ts'
import { usePaged } from '../../paged.ts'
import styles from './administration.module.css'
import { administrationMessages } from './messages.ts'
import { Once } from './once.tsx'
import { SaveForm } from './save-form.tsx'

const PAGE_ROWS = 50
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
  const list = usePaged('listDevices', { facilityId: place.id, limit: PAGE_ROWS })
  return (
    <section className={styles['panel']}>
      <h2>{t.devices}</h2>
      <PagedList of={list} empty={<p>{t.noDevices}</p>}>
        {(items) => (
          <ul className={styles['plain']}>
            {items.map(({ id, name, disabled }) => (
              <li key={id}>
                <Link
                  to="/administration/devices/$deviceId"
                  params={{ deviceId: id }}
                  className={styles['name']}
                >
                  {name}
                </Link>
                <Chip state={disabled ? 'unknown' : 'in-range'}>{disabled ? t.disabled : t.active}</Chip>
              </li>
            ))}
          </ul>
        )}
      </PagedList>
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
      {made && (
        <Once
          title={`${t.tokenTitle}: ${made.name}`}
          lead={t.tokenOnce}
          secrets={[{ text: made.accessToken ?? '' }]}
          onClose={() => setMade(undefined)}
        />
      )}
    </section>
  )
}

interface RegisterProps extends Props {
  readonly onMade: (device: DeviceWithToken) => void
  readonly onClose: () => void
}

function Register({ place, onMade, onClose }: RegisterProps) {
  const t = useMessages(administrationMessages)
  const known = useQuery(wholeList('listEquipment', { facilityId: place.id }))
  const profiles = useQuery(wholeList('listProfiles', {}))
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
