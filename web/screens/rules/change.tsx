import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { Form } from 'react-aria-components'
import { call, Problem, query } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Icon } from '../../controls/icon.tsx'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useMessages } from '../../messages.ts'
import type { NewRule, ProfileDetail } from '../../operations.ts'
import { NotFound } from '../../shell/not-found.tsx'
import { draftOf, PLAIN_RULE } from './draft.ts'
import { ruleMessages } from './messages.ts'
import { SinceChoice, type Since } from './overrides.tsx'
import { Preview } from './preview.tsx'
import { RuleFields } from './rule-fields.tsx'
import styles from './rules.module.css'

const RULES_MAX = 32
const route = getRouteApi('/rules/$profileId/change')

/** New rules for a profile: written, tried on the last year, then published as its next version. */
export function Change() {
  const { profileId } = route.useParams()
  const profile = useQuery(query('getProfile', { params: { id: profileId } }))
  if (profile.error instanceof Problem && profile.error.status === 404) return <NotFound />
  if (profile.isError) return <ProblemNote problem={profile.error} onRetry={() => void profile.refetch()} />
  if (!profile.data) return <Skeleton rows={4} />
  return <Found key={profileId} profile={profile.data} />
}

function Found({ profile }: { readonly profile: ProfileDetail }) {
  const t = useMessages(ruleMessages)
  const [rules, setRules] = useState<readonly NewRule[]>(() =>
    (profile.versions[0]?.rules ?? []).map(draftOf),
  )
  const [since, setSince] = useState<Since>('now')
  const [place, setPlace] = useState<string>()
  // Rules that ship with the program change with it alone: what is written becomes a profile of one's own.
  const isOwn = !profile.isShipped
  const publishing = usePublishing(profile, { rules, since, place })
  const refused = useMemo(() => refusedFields(publishing.error), [publishing.error])
  return (
    <>
      <Link to="/rules/$profileId" params={{ profileId: profile.id }} className={styles['back']}>
        <Icon name="back" /> {profile.name}
      </Link>
      <header className={page['head']}>
        <h1>{isOwn ? t.changeRules : t.makeOwn}</h1>
        <p>{isOwn ? t.changeLead : t.makeOwnLead}</p>
      </header>
      <Form
        className={styles['form'] ?? ''}
        validationBehavior="aria"
        onSubmit={(event) => {
          event.preventDefault()
          publishing.mutate(new FormData(event.currentTarget))
        }}
      >
        {!isOwn && <OwnFields place={place} onPlace={setPlace} refused={refused} />}
        <div className={styles['rules']}>
          {rules.map((rule, index) => (
            <RuleFields
              key={index}
              {...{ index, rule, refused }}
              onChange={(next) => setRules(rules.map((one, at) => (at === index ? next : one)))}
              onRemove={rules.length > 1 ? () => setRules(rules.filter((_, at) => at !== index)) : undefined}
            />
          ))}
        </div>
        {rules.length < RULES_MAX && (
          <div className={styles['buttons']}>
            <Button kind="normal" onPress={() => setRules([...rules, PLAIN_RULE])}>
              {t.add}
            </Button>
          </div>
        )}
        <Preview profileId={profile.id} rules={rules} />
        <section className={styles['panel']}>
          <h2>{isOwn ? t.publishTitle : t.createTitle}</h2>
          {isOwn && <SinceChoice value={since} onChange={setSince} />}
          <TextField label={t.comment} name="comment" lines={2} maxLength={2000} />
          {publishing.isError && <Refusal problem={publishing.error} refused={refused} />}
          <div className={styles['buttons']}>
            <Button kind="primary" type="submit" isDisabled={publishing.isPending}>
              {isOwn ? t.publish : t.create}
            </Button>
          </div>
        </section>
      </Form>
    </>
  )
}

interface Draft {
  readonly rules: readonly NewRule[]
  readonly since: Since
  readonly place: string | undefined
}

function usePublishing(profile: ProfileDetail, { rules, since, place }: Draft) {
  const t = useMessages(ruleMessages)
  const client = useQueryClient()
  const navigate = route.useNavigate()
  return useMutation({
    mutationFn: (form: FormData) => {
      const comment = String(form.get('comment') ?? '')
      const version = { rules, comment, ...(since === 'always' && { validFrom: null }) }
      if (!profile.isShipped)
        return call('publishProfileVersion', { params: { id: profile.id }, body: version })
      const id = String(form.get('id'))
      const name = String(form.get('name'))
      return call('createProfile', { body: { rules, comment, id, name, facilityId: place ?? null } })
    },
    onSuccess: async (saved) => {
      toast(t.published(saved.name, saved.versions.length))
      for (const operation of ['getProfile', 'listProfiles', 'listEquipmentRules', 'listLogs'] as const)
        void client.invalidateQueries({ queryKey: [operation] })
      await navigate({ to: '/rules/$profileId', params: { profileId: saved.id } })
    },
  })
}

function OwnFields({
  place,
  onPlace,
  refused,
}: {
  readonly place: string | undefined
  readonly onPlace: (id: string | undefined) => void
  readonly refused: Readonly<Record<string, string>>
}) {
  const t = useMessages(ruleMessages)
  return (
    <section className={styles['panel']}>
      <TextField label={t.profileName} name="name" maxLength={200} isRequired error={refused['name']} />
      <TextField
        label={t.profileId}
        name="id"
        maxLength={48}
        pattern="[a-z0-9][a-z0-9\-]*"
        isRequired
        error={refused['id']}
      />
      <PlacePicker label={t.profilePlace} value={place} onChange={onPlace} />
    </section>
  )
}

/** At the button, that something above was refused; what it is stands at its field. */
function Refusal({
  problem,
  refused,
}: {
  readonly problem: unknown
  readonly refused: Record<string, string>
}) {
  const t = useMessages(ruleMessages)
  if (Object.keys(refused).length === 0) return <ProblemNote problem={problem} />
  return (
    <p role="alert" className={styles['wrong']}>
      <Icon name="alarm" /> {t.refused}
    </p>
  )
}

function refusedFields(error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) return {}
  return Object.fromEntries(error.errors.map(({ path, message }) => [path.replace('/body/', ''), message]))
}
