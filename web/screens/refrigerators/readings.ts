import { queryOptions, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { SILENCE_MS_UNKNOWN } from '../../../domain/cadence.ts'
import { isHigh } from '../../../domain/rule.ts'
import { call, query } from '../../api.ts'
import type { Limit } from '../../controls/chart-paint.ts'
import { plotted, stepMs, type Bucketed, type Plotted, type Span } from '../../controls/series.ts'
import type { Bucket, Device, Operations, Rule } from '../../operations.ts'

export type Quantity = NonNullable<Operations['listReadings']['query']['quantity']>

/** One quantity of one sensor. */
export interface Measured {
  readonly deviceId: string
  readonly sensor: string
  readonly quantity: Quantity
}

/** As many as a wide screen has room for. */
const STEPS = 800
/** A longer time changes too little in a moment to ask for it again with each reading that comes. */
const LIVE_MS_MAX = 2 * 86_400_000
const WIDE_STALE_MS = 300_000

/** The lowest, the highest and the mean of each step of a time, summed up where the readings are, so that no spike is lost on the way. */
export function bucketsQuery({ deviceId, sensor, quantity }: Measured, span: Span, steps = STEPS) {
  const everyMs = stepMs(span, steps)
  const asked = {
    params: { id: deviceId },
    query: {
      sensor,
      quantity,
      from: new Date(span.from).toISOString(),
      to: new Date(span.to).toISOString(),
      every: `${everyMs / 60_000}m`,
    },
  }
  const isLive = span.to - span.from <= LIVE_MS_MAX
  return queryOptions({
    queryKey: [isLive ? 'listReadings' : 'listReadings of a long time', asked] as const,
    queryFn: async ({ signal }): Promise<Bucketed> => {
      const { items } = await call('listReadings', { ...asked, signal })
      return { ...span, everyMs, items: (items as readonly object[]).filter(isBucket) }
    },
    ...(!isLive && { staleTime: WIDE_STALE_MS }),
  })
}

/** What a chart draws. While closer steps are on their way, of the same sensor what is known already. */
export function useCurve(measured: Measured, span: Span, silentAfterMs: number) {
  const { deviceId, sensor, quantity } = measured
  const readings = useQuery({
    ...bucketsQuery(measured, span),
    placeholderData: (before, beforeQuery) => {
      const asked = beforeQuery?.queryKey[1]
      const isSame =
        asked?.params.id === deviceId && asked.query.sensor === sensor && asked.query.quantity === quantity
      return isSame ? before : undefined
    },
  })
  const { data } = readings
  const curve = useMemo(
    (): Plotted | undefined => data && plotted(data, silentAfterMs, Date.now()),
    [data, silentAfterMs],
  )
  return { readings, curve }
}

/** How long a device may say nothing before it is silent: as the watchdog judges it. */
export function useSilentAfterMs(deviceId: string | undefined): number {
  const device = useQuery({
    ...query('getDevice', { params: { id: deviceId ?? '' } }),
    enabled: deviceId !== undefined,
    staleTime: WIDE_STALE_MS,
  })
  const seconds = device.data?.watch?.silentAfterSeconds
  return seconds === undefined ? SILENCE_MS_UNKNOWN : seconds * 1000
}

function isBucket(one: object): one is Bucket {
  return 'start' in one
}

/** The sensors of devices that measure a temperature. */
export function thermometersOf(devices: readonly Device[]): Measured[] {
  return devices.flatMap(({ id, latest = [] }) =>
    latest
      .filter(({ values }) => values.temperature !== undefined)
      .map(({ sensor }) => ({ deviceId: id, sensor, quantity: 'temperature' as const })),
  )
}

/** The limits of a quantity, each for as long as its rule held. */
export function limitsOf(rules: readonly Rule[], quantity: string): Limit[] {
  return rules
    .filter((rule) => rule.quantity === quantity && rule.measure === 'value')
    .map(({ threshold, comparator, validFrom, validTo }) => ({
      value: threshold,
      isHigh: isHigh({ comparator }),
      from: validFrom === null ? -Infinity : Date.parse(validFrom),
      to: validTo === null ? Infinity : Date.parse(validTo),
    }))
}
