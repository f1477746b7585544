import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { EVERYWHERE } from '../../../domain/rule-resolution.ts'
import { call, query, useMay, wholeList } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import type { Equipment, Profile } from '../../operations.ts'
import { SaveForm } from '../administration/save-form.tsx'
import { RuleList } from './describe.tsx'
import { ruleMessages } from './messages.ts'
import { SinceChoice, type Since } from './overrides.tsx'
import styles from './rules.module.css'

/** The rules that hold for a piece of equipment, and the profile that they come from. */
export function AssignedRules({ equipment }: { readonly equipment: Equipment }) {
  const t = useMessages(ruleMessages)
  const { id, profile } = equipment
  const rules = useQuery(query('listEquipmentRules', { params: { id } }))
  const profiles = useQuery(wholeList('listProfiles', {})).data?.items ?? []
  const mayAssign = useMay('updateEquipment')
  const [isOpen, setOpen] = useState(false)
  const own = rules.data?.items.filter((one) => one.validTo === null && one.profile !== EVERYWHERE)
  return (
    <section className={styles['panel']}>
      <h2>{t.title}</h2>
      <p>
        {t.profile}:{' '}
        <Link to="/rules/$profileId" params={{ profileId: profile }}>
          {profiles.find((one) => one.id === profile)?.name ?? profile}
        </Link>
      </p>
      {rules.isPending && <Skeleton rows={1} />}
      {rules.isError && <ProblemNote problem={rules.error} onRetry={() => void rules.refetch()} />}
      {own && <RuleList rules={own} />}
      {mayAssign && (
        <div className={styles['buttons']}>
          <Button kind="normal" onPress={() => setOpen(true)}>
            {t.assign}
          </Button>
        </div>
      )}
      {isOpen && <AssignForm equipment={equipment} profiles={profiles} onClose={() => setOpen(false)} />}
    </section>
  )
}

interface FormProps {
  readonly equipment: Equipment
  readonly profiles: readonly Profile[]
  readonly onClose: () => void
}

function AssignForm({ equipment, profiles, onClose }: FormProps) {
  const t = useMessages(ruleMessages)
  const [profile, setProfile] = useState(equipment.profile)
  const [since, setSince] = useState<Since>('now')
  return (
    <SaveForm
      title={`${t.assign}: ${equipment.name}`}
      submit={t.save}
      outdates={['getEquipment', 'listEquipment', 'listEquipmentRules', 'listLogs']}
      save={() =>
        call('updateEquipment', {
          params: { id: equipment.id },
          body: { profile, ...(since === 'always' && { profileFrom: null }) },
        })
      }
      onSaved={() => {
        toast(t.assigned(equipment.name))
        onClose()
      }}
      onClose={onClose}
    >
      <Choice
        label={t.profile}
        options={profiles
          .filter(({ id }) => id !== EVERYWHERE)
          .map(({ id, name }) => ({ value: id, label: name }))}
        value={profile}
        onChange={setProfile}
      />
      <SinceChoice value={since} onChange={setSince} />
    </SaveForm>
  )
}
