import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { call, query, wholeList } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Chart } from '../../controls/chart.tsx'
import type { Limit } from '../../controls/chart-paint.ts'
import { Choice } from '../../controls/choice.tsx'
import { Legend } from '../../controls/legend.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import type { Span } from '../../controls/series.ts'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useFormat } from '../../format.ts'
import { isHigh } from '../../../domain/rule.ts'
import { useMessages } from '../../messages.ts'
import type { Equipment, NewRule, Preview as Answer, PreviewedSensor } from '../../operations.ts'
import { refrigeratorMessages } from '../refrigerators/messages.ts'
import { useCurve, useSilentAfterMs } from '../refrigerators/readings.ts'
import { useTemperatureAt } from '../refrigerators/temperature-at.ts'
import { ruleMessages } from './messages.ts'
import styles from './rules.module.css'

const YEAR_MS = 365 * 86_400_000
const HOUR_MS = 3_600_000
const LISTED_MAX = 10
const route = getRouteApi('/rules/$profileId/change')

interface Props {
  readonly profileId: string
  readonly rules: readonly NewRule[]
}

interface Tried {
  readonly rules: readonly NewRule[]
  readonly equipmentId: string
  readonly span: Span
  readonly answer: Answer
}

/** What the rules would have found in the last year on one piece of equipment, beside what was recorded. */
export function Preview({ profileId, rules }: Props) {
  const t = useMessages(ruleMessages)
  const { equipmentId: asked } = route.useSearch()
  const navigate = route.useNavigate()
  const options = useTryable(profileId)
  const equipmentId = options.find(({ id }) => id === asked)?.id ?? options[0]?.id
  const trying = useMutation({
    mutationFn: async (id: string): Promise<Tried> => {
      const to = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS
      const span = { from: to - YEAR_MS, to }
      const from = new Date(span.from).toISOString()
      const answer = await call('previewRules', { body: { rules, equipmentId: id, from } })
      return { rules, equipmentId: id, span, answer }
    },
  })
  const { data } = trying
  return (
    <section className={styles['panel']}>
      <h2>{t.previewTitle}</h2>
      <p className={page['soft']}>{t.previewLead}</p>
      {equipmentId === undefined && <p>{t.nothingToTry}</p>}
      {equipmentId !== undefined && (
        <div className={styles['try']}>
          <Choice
            label={t.equipment}
            options={options.map(({ id, name }) => ({ value: id, label: name }))}
            value={equipmentId}
            onChange={(id) => void navigate({ search: { equipmentId: id }, replace: true })}
          />
          <Button kind="normal" isDisabled={trying.isPending} onPress={() => trying.mutate(equipmentId)}>
            {trying.isPending ? t.trying : t.tryIt}
          </Button>
        </div>
      )}
      {trying.isError && <ProblemNote problem={trying.error} />}
      {trying.isPending && <Skeleton rows={2} />}
      {data && !trying.isPending && (
        <Result tried={data} isOutdated={data.rules !== rules || data.equipmentId !== equipmentId} />
      )}
    </section>
  )
}

/** What has the profile; when nothing has, everything. */
function useTryable(profileId: string): readonly Equipment[] {
  const all = useQuery(wholeList('listEquipment', {})).data?.items ?? []
  const having = all.filter(({ profile }) => profile === profileId)
  return having.length > 0 ? having : all
}

function Result({ tried, isOutdated }: { readonly tried: Tried; readonly isOutdated: boolean }) {
  const t = useMessages(ruleMessages)
  const { counts, items } = tried.answer
  const [sensor] = items.toSorted((a, b) => b.readings - a.readings)
  if (!sensor || counts.readings === 0) return <p role="status">{t.nothingMeasured}</p>
  return (
    <>
      {isOutdated && (
        <p role="status" className={styles['wrong']}>
          {t.outdated}
        </p>
      )}
      <dl className={styles['counts']}>
        {(
          [
            [t.before, counts.recorded],
            [t.after, counts.found],
            [t.newOnes, counts.foundOnly],
            [t.goneOnes, counts.recordedOnly],
          ] as const
        ).map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <Year tried={tried} sensor={sensor} />
      <Differences sensor={sensor} timeZone={null} />
    </>
  )
}

function Year({ tried, sensor }: { readonly tried: Tried; readonly sensor: PreviewedSensor }) {
  const t = useMessages(ruleMessages)
  const words = useMessages(refrigeratorMessages)
  const { span, rules } = tried
  const facility = useQuery({
    ...query('getFacility', { params: { id: sensor.facilityId ?? '' } }),
    enabled: sensor.facilityId !== null,
  })
  const timeZone = facility.data?.timeZone ?? 'UTC'
  const quantity = rules[0]?.quantity ?? 'temperature'
  const measured = { deviceId: sensor.deviceId, sensor: sensor.sensor, quantity }
  const { curve } = useCurve(measured, span, useSilentAfterMs(sensor.deviceId))
  const describe = useTemperatureAt(timeZone, quantity)
  const found = useMemo(() => sensor.found.map((one) => spanOf(one, span)), [sensor, span])
  const recorded = useMemo(() => sensor.recorded.map((one) => spanOf(one, span)), [sensor, span])
  const limits = useMemo(() => limitsOfDrafts(rules, quantity), [rules, quantity])
  if (!curve) return <Skeleton rows={2} />
  return (
    <div>
      <Chart
        label={t.yearWith}
        size="large"
        plotted={curve}
        breaches={found}
        {...{ span, timeZone, describe, limits }}
      />
      <Strip label={t.before} count={recorded.length} spans={recorded} of={span} />
      <Strip label={t.after} count={found.length} spans={found} of={span} />
      <Legend
        of={[
          ['limit', words.legend.limit],
          ['breach', t.after],
          ['gap', words.legend.gap],
        ]}
      />
    </div>
  )
}

const STRIP_WIDE = 1000
const STRIP_HIGH = 14

/** Breaches along the time axis of the curve above. */
function Strip({
  label,
  count,
  spans,
  of,
}: {
  readonly label: string
  readonly count: number
  readonly spans: readonly Span[]
  readonly of: Span
}) {
  const x = (ms: number) =>
    (STRIP_WIDE * (Math.min(of.to, Math.max(of.from, ms)) - of.from)) / (of.to - of.from)
  return (
    <figure className={styles['strip']}>
      <figcaption>
        {label}: {count}
      </figcaption>
      <svg
        viewBox={`0 0 ${STRIP_WIDE} ${STRIP_HIGH}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${count}`}
      >
        {spans.map(({ from, to }) => (
          <rect
            key={`${from} ${to}`}
            x={x(from)}
            width={Math.max(3, x(to) - x(from))}
            y="0"
            height={STRIP_HIGH}
          />
        ))}
      </svg>
    </figure>
  )
}

/** Which breaches the change makes and unmakes, in words. */
function Differences({
  sensor,
  timeZone,
}: {
  readonly sensor: PreviewedSensor
  readonly timeZone: string | null
}) {
  const t = useMessages(ruleMessages)
  const format = useFormat()
  const made = sensor.found.filter(({ isRecorded }) => !isRecorded)
  const unmade = sensor.recorded.filter(({ isFound }) => !isFound)
  if (made.length === 0 && unmade.length === 0) return <p>{t.noDifference}</p>
  return (
    <details>
      <summary>{t.differences}</summary>
      <ul className={styles['timeline']}>
        {made.slice(0, LISTED_MAX).map((one) => (
          <li key={`${one.rule} ${one.startAt}`}>
            <strong>{t.newOne}</strong>
            <span>
              {one.name} · {format.time(one.startAt, timeZone)}
            </span>
          </li>
        ))}
        {unmade.slice(0, LISTED_MAX).map((one) => (
          <li key={one.id}>
            <strong>{t.goneOne}</strong>
            <Link to="/breaches/$breachId" params={{ breachId: one.id }}>
              {format.time(one.startAt, timeZone)}
            </Link>
          </li>
        ))}
      </ul>
    </details>
  )
}

function spanOf(
  { startAt, endAt }: { readonly startAt: string; readonly endAt: string | null },
  { to }: Span,
): Span {
  return { from: Date.parse(startAt), to: endAt === null ? to : Date.parse(endAt) }
}

function limitsOfDrafts(rules: readonly NewRule[], quantity: string): Limit[] {
  return rules
    .filter((rule) => rule.quantity === quantity && (rule.measure ?? 'value') === 'value')
    .map((rule) => ({ value: rule.threshold, isHigh: isHigh(rule), from: -Infinity, to: Infinity }))
}
