import { getRouteApi, Link } from '@tanstack/react-router'
import { Button } from '../../../controls/button.tsx'
import { Chip } from '../../../controls/chip.tsx'
import { Choice } from '../../../controls/choice.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { Refusal } from '../../../operations.ts'
import { usePaged } from '../../../paged.ts'
import { usePreferences } from '../../../preferences.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { deviceMessages } from './messages.ts'
import { REASONS, reasonIn } from './reasons.ts'

const PAGE_ROWS = 50
const ANY = 'any'
const route = getRouteApi('/administration/refusals')

/** What devices sent and the system did not take, the newest first. */
export function Refusals() {
  const t = useMessages(deviceMessages)
  const search = route.useSearch()
  const refusals = usePaged('listRefusals', { ...search, limit: PAGE_ROWS })
  const nothing = search.code === undefined ? t.noRefusals : t.noRefusalsFound
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.refusals}</h1>
        <p>{t.refusalsLead}</p>
      </header>
      <Filters />
      <PagedList of={refusals} empty={<p className={styles['panel']}>{nothing}</p>}>
        {(items) => (
          <ul className={styles['rows']}>
            {items.map((refusal) => (
              <Row key={refusal.id} refusal={refusal} />
            ))}
          </ul>
        )}
      </PagedList>
    </>
  )
}

function Filters() {
  const t = useMessages(deviceMessages)
  const shared = useMessages(administrationMessages)
  const { language } = usePreferences()
  const { code = ANY, deviceId } = route.useSearch()
  const navigate = route.useNavigate()
  const reasons = REASONS.map((value) => ({ value: value as string, label: reasonIn(language, value) }))
  return (
    <div className={styles['filters']} role="search" aria-label={shared.filter}>
      <Choice
        label={t.reason}
        options={[{ value: ANY, label: shared.any }, ...reasons]}
        value={code}
        onChange={(value) =>
          void navigate({
            search: { ...(deviceId !== undefined && { deviceId }), ...(value !== ANY && { code: value }) },
            replace: true,
          })
        }
      />
      {deviceId !== undefined && (
        <Button
          kind="normal"
          onPress={() => void navigate({ search: code === ANY ? {} : { code }, replace: true })}
        >
          {t.ofDevice}
        </Button>
      )}
    </div>
  )
}

function Row({ refusal }: { readonly refusal: Refusal }) {
  const t = useMessages(deviceMessages)
  const { language } = usePreferences()
  const format = useFormat()
  const { id, code, detail, deviceName, facilityName, receivedAt, timeZone } = refusal
  return (
    <li>
      <div>
        <Link to="/administration/refusals/$refusalId" params={{ refusalId: id }} className={styles['name']}>
          {reasonIn(language, code)}
        </Link>
        <p className={styles['soft']}>
          {[deviceName ?? t.unknownDevice, facilityName].filter(Boolean).join(' · ')}
        </p>
      </div>
      <p className={styles['soft']}>
        {detail}
        <br />
        {format.time(receivedAt, timeZone)}
      </p>
      <OutcomeChip refusal={refusal} />
    </li>
  )
}

/** What came of the last replay; a refusal that was not replayed yet says nothing. */
export function OutcomeChip({ refusal }: { readonly refusal: Pick<Refusal, 'replayOutcome'> }) {
  const t = useMessages(deviceMessages)
  const { replayOutcome: outcome } = refusal
  if (outcome === null) return <span />
  return outcome.refused.length === 0 ? (
    <Chip state="in-range">{t.accepted(outcome.readings)}</Chip>
  ) : (
    <Chip state="silent" icon="alarm">
      {t.refusedAgain(outcome.refused.length)}
    </Chip>
  )
}
