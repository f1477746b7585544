import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, useMay, wholeList } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Profile } from '../../operations.ts'
import { SaveForm } from '../administration/save-form.tsx'
import { ruleMessages } from './messages.ts'
import styles from './rules.module.css'

const NONE = 'none'

/** Where other rules hold than the profile says. */
export function Overrides({ profiles }: { readonly profiles: readonly Profile[] }) {
  const t = useMessages(ruleMessages)
  const format = useFormat()
  const overrides = useQuery(wholeList('listProfileOverrides', {}))
  const maySet = useMay('setProfileOverride')
  const [isOpen, setOpen] = useState(false)
  const nameOf = (id: string) => profiles.find((one) => one.id === id)?.name ?? id
  return (
    <section className={styles['panel']}>
      <h2>{t.overrides}</h2>
      <p className={page['soft']}>{t.overridesLead}</p>
      {overrides.isError && (
        <ProblemNote problem={overrides.error} onRetry={() => void overrides.refetch()} />
      )}
      {overrides.data?.items.length === 0 && <p>{t.noOverrides}</p>}
      <ul className={styles['plain']}>
        {overrides.data?.items.map((one) => (
          <li key={`${one.facilityId} ${one.profile} ${one.from}`}>
            <strong>{one.facilityName}</strong>
            <p>
              {nameOf(one.profile)} → {one.replacement === null ? t.asItself : nameOf(one.replacement)}
            </p>
            <p className={page['soft']}>
              {[
                one.from === null ? t.always : t.from(format.time(one.from, null)),
                one.setByName,
                format.time(one.setAt, null),
              ]
                .filter(Boolean)
                .join(' · ')}
            </p>
          </li>
        ))}
      </ul>
      {maySet && profiles.length > 0 && (
        <div className={styles['buttons']}>
          <Button kind="normal" onPress={() => setOpen(true)}>
            {t.setOverride}
          </Button>
        </div>
      )}
      {isOpen && <OverrideForm profiles={profiles} onClose={() => setOpen(false)} />}
    </section>
  )
}

interface FormProps {
  readonly profiles: readonly Profile[]
  readonly onClose: () => void
}

function OverrideForm({ profiles, onClose }: FormProps) {
  const t = useMessages(ruleMessages)
  const places = useQuery(wholeList('listFacilities', {})).data?.items ?? []
  const [place, setPlace] = useState<string>()
  const [profile, setProfile] = useState(profiles[0]?.id ?? '')
  const [replacement, setReplacement] = useState<string>(NONE)
  const [since, setSince] = useState<Since>('now')
  const options = profiles.map(({ id, name }) => ({ value: id, label: name }))
  return (
    <SaveForm
      title={t.setOverride}
      submit={t.save}
      outdates={['listProfileOverrides', 'listEquipmentRules', 'listLogs']}
      save={() =>
        call('setProfileOverride', {
          body: {
            facilityId: place ?? places[0]?.id ?? '',
            profile,
            replacement: replacement === NONE ? null : replacement,
            ...fromOf(since),
          },
        })
      }
      onSaved={(saved) => {
        toast(t.overrideSet(saved.facilityName))
        onClose()
      }}
      onClose={onClose}
    >
      <PlacePicker label={t.place} value={place} onChange={setPlace} />
      <Choice label={t.insteadOf} options={options} value={profile} onChange={setProfile} />
      <Choice
        label={t.holds}
        options={[{ value: NONE, label: t.asItself }, ...options.filter(({ value }) => value !== profile)]}
        value={replacement}
        onChange={setReplacement}
      />
      <SinceChoice value={since} onChange={setSince} />
    </SaveForm>
  )
}

export type Since = 'now' | 'always'

/** What the API is told of when something begins: nothing for now, null for always. */
export function fromOf(since: Since): { from?: null } {
  return since === 'always' ? { from: null } : {}
}

/** Rules may begin to hold now, or have held always: then what is past is judged again. */
export function SinceChoice({
  value,
  onChange,
}: {
  readonly value: Since
  readonly onChange: (since: Since) => void
}) {
  const t = useMessages(ruleMessages)
  return (
    <Choice
      label={t.since}
      options={[
        { value: 'now', label: t.sinceNow },
        { value: 'always', label: t.sinceAlways },
      ]}
      value={value}
      onChange={onChange}
    />
  )
}
