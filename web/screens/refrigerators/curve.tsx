import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { query } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Chart } from '../../controls/chart.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Legend } from '../../controls/legend.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Segments } from '../../controls/segments.tsx'
import type { Span } from '../../controls/series.ts'
import { Skeleton } from '../../controls/skeleton.tsx'
import { useMessages } from '../../messages.ts'
import type { Breach, Device, Equipment, Facility } from '../../operations.ts'
import { usePreferences } from '../../preferences.ts'
import { Export } from './export.tsx'
import { Happened } from './happened.tsx'
import { Lanes } from './lanes.tsx'
import { refrigeratorMessages } from './messages.ts'
import { Neighbours } from './neighbours.tsx'
import { limitsOf, thermometersOf, useCurve, useSilentAfterMs, type Measured } from './readings.ts'
import styles from './refrigerators.module.css'
import { RANGES } from './routes.ts'
import { moved, spanOf, widened, zoomed } from './span.ts'
import { Table } from './table.tsx'
import { TOGETHER, useTemperatureAt } from './temperature-at.ts'

const BREACHES_MAX = 200
const RANGE_SHORT_MS = 30 * 86_400_000
const route = getRouteApi('/refrigerators/$equipmentId')

export interface CurveProps {
  readonly equipment: Equipment
  readonly facility: Facility
  readonly devices: readonly Device[]
}

/** What a refrigerator measured over a time that is in the address, and all that explains it on the same axis. */
export function Curve({ equipment, facility, devices }: CurveProps) {
  const t = useMessages(refrigeratorMessages)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const thermometers = thermometersOf(devices)
  const measured =
    thermometers.find((one) => one.deviceId === search.device && one.sensor === search.sensor) ??
    thermometers[0]
  if (!measured) return <p className={styles['panel']}>{devices.length === 0 ? t.noDevice : t.noReadings}</p>
  const span = spanOf(search)
  const { device, sensor, neighbours } = search
  const kept = { ...(device && { device }), ...(sensor && { sensor }), ...(neighbours && { neighbours }) }
  const show = (next: Span) => void navigate({ search: { ...kept, ...widened(next) }, replace: true })
  return (
    <section className={styles['panel']}>
      <h2>{t.curve}</h2>
      <div className={styles['filters']}>
        <Segments
          label={t.time}
          options={RANGES.map((value) => ({ value, label: t.ranges[value] }))}
          value={search.from === undefined ? (search.range ?? 'day') : undefined}
          onChange={(range) => void navigate({ search: { ...kept, range }, replace: true })}
        />
        {thermometers.length > 1 && (
          <Choice
            label={t.measuredBy}
            options={thermometers.map((one) => ({ value: keyOf(one), label: labelOf(one, devices) }))}
            value={keyOf(measured)}
            onChange={(key) => {
              const chosen = thermometers.find((one) => keyOf(one) === key)
              if (chosen)
                void navigate({
                  search: { ...search, device: chosen.deviceId, sensor: chosen.sensor },
                  replace: true,
                })
            }}
          />
        )}
      </div>
      <Drawn
        {...{ equipment, facility, measured, span }}
        onShow={show}
        device={deviceOf(measured, devices)}
      />
      <div className={styles['buttons']}>
        <Export measured={measured} span={span} name={equipment.name} timeZone={facility.timeZone} />
        <Button
          kind="normal"
          aria-pressed={neighbours === true}
          onPress={() => {
            const { neighbours: _, ...rest } = search
            void navigate({ search: neighbours ? rest : { ...rest, neighbours: true }, replace: true })
          }}
        >
          {neighbours ? t.hideNeighbours : t.showNeighbours}
        </Button>
      </div>
      {neighbours && <Neighbours equipment={equipment} facility={facility} span={span} />}
    </section>
  )
}

function keyOf({ deviceId, sensor }: Measured): string {
  return `${deviceId} ${sensor}`
}

function deviceOf({ deviceId }: Measured, devices: readonly Device[]): Device | undefined {
  return devices.find(({ id }) => id === deviceId)
}

function labelOf(measured: Measured, devices: readonly Device[]): string {
  const name = deviceOf(measured, devices)?.name ?? ''
  return measured.sensor === 'main' ? name : `${name} · ${measured.sensor}`
}

interface DrawnProps {
  readonly equipment: Equipment
  readonly facility: Facility
  readonly measured: Measured
  readonly device: Device | undefined
  readonly span: Span
  readonly onShow: (span: Span) => void
}

function Drawn({ equipment, facility, measured, device, span, onShow }: DrawnProps) {
  const t = useMessages(refrigeratorMessages)
  const { timeZone } = facility
  const silentAfterMs = useSilentAfterMs(measured.deviceId)
  const { readings, curve } = useCurve(measured, span, silentAfterMs)
  const around = useAround(equipment.id)
  const describe = useTemperatureAt(timeZone)
  if (readings.isError)
    return <ProblemNote problem={readings.error} onRetry={() => void readings.refetch()} />
  if (!curve) return <Skeleton rows={3} />
  const buckets = readings.data?.items ?? []
  const { limits, breaches, spans, marks } = around
  return (
    <>
      <Shown span={span} timeZone={timeZone} onShow={onShow} />
      {buckets.length === 0 && <p>{t.noReadings}</p>}
      <div>
        <Chart
          label={t.curve}
          size="large"
          plotted={curve}
          describe={describe}
          together={TOGETHER}
          onSelect={onShow}
          {...{ span, timeZone, limits, breaches: spans, marks }}
        />
        <Lanes {...{ measured, device, span, timeZone, silentAfterMs, breaches: spans, marks }} />
      </div>
      <Legend
        of={[
          ['range', t.legend.range],
          ['allowed', t.legend.allowed],
          ['limit', t.legend.limit],
          ['breach', t.legend.breach],
          ['gap', t.legend.gap],
          ['mark', t.legend.mark],
        ]}
      />
      <p className={styles['where']}>{t.hint}</p>
      <Happened breaches={breaches} span={span} timeZone={timeZone} />
      <Table buckets={buckets} gaps={curve.gaps} timeZone={timeZone} />
    </>
  )
}

/** What is drawn behind the curve. */
function useAround(equipmentId: string) {
  const rules = useQuery(query('listEquipmentRules', { params: { id: equipmentId } })).data?.items
  const found = useQuery(query('listBreaches', { query: { equipmentId, limit: BREACHES_MAX } })).data?.items
  return useMemo(() => {
    const breaches = (found ?? EMPTY).filter(({ state }) => state !== 'withdrawn')
    return {
      limits: limitsOf(rules ?? [], 'temperature'),
      breaches,
      spans: breaches.filter(({ quantity }) => quantity === 'temperature').map(spanOfBreach),
      marks: breaches.flatMap(({ acknowledgedAt }) => (acknowledgedAt ? [Date.parse(acknowledgedAt)] : [])),
    }
  }, [rules, found])
}

const EMPTY: readonly Breach[] = []

/** An open one until now. */
export function spanOfBreach({ startAt, endAt }: Pick<Breach, 'startAt' | 'endAt'>): Span {
  return { from: Date.parse(startAt), to: endAt === null ? Date.now() : Date.parse(endAt) }
}

interface ShownProps {
  readonly span: Span
  readonly timeZone: string
  readonly onShow: (span: Span) => void
}

/** From when to when, and the ways to other times for who has no pointer. */
function Shown({ span, timeZone, onShow }: ShownProps) {
  const t = useMessages(refrigeratorMessages)
  const { language } = usePreferences()
  const isLong = span.to - span.from > RANGE_SHORT_MS
  const format = new Intl.DateTimeFormat(language, {
    timeZone,
    dateStyle: 'medium',
    ...(!isLong && { timeStyle: 'short' }),
  })
  const moves = [
    [t.earlier, moved(span, -1)],
    [t.later, moved(span, 1)],
    [t.closer, zoomed(span, 1 / 2)],
    [t.wider, zoomed(span, 2)],
  ] as const
  return (
    <div className={styles['shown']}>
      <p>{format.formatRange(span.from, span.to)}</p>
      <div className={styles['moves']}>
        {moves.map(([text, next]) => (
          <Button key={text} kind="normal" onPress={() => onShow(next)}>
            {text}
          </Button>
        ))}
      </div>
    </div>
  )
}
