import { Chart, type ChartKind, type Point } from '../../controls/chart.tsx'
import type { Span } from '../../controls/series.ts'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Device } from '../../operations.ts'
import { refrigeratorMessages } from './messages.ts'
import { useCurve, type Measured, type Quantity } from './readings.ts'
import { TOGETHER } from './temperature-at.ts'

type Name = keyof typeof refrigeratorMessages.en.lanes

interface LaneKind {
  readonly name: Name
  /** Devices say it in one way or another. */
  readonly quantities: readonly Quantity[]
  readonly kind: ChartKind
}

const LANES: readonly LaneKind[] = [
  { name: 'door', quantities: ['doorOpenSeconds', 'doorOpen'], kind: 'highest' },
  { name: 'power', quantities: ['powerGoodSeconds', 'powerOn'], kind: 'lowest' },
  { name: 'ambient', quantities: ['ambientTemperature'], kind: 'line' },
  { name: 'freezer', quantities: ['freezerTemperature'], kind: 'line' },
]

interface Props {
  readonly measured: Measured
  readonly device: Device | undefined
  readonly span: Span
  readonly timeZone: string
  readonly silentAfterMs: number
  readonly breaches: readonly Span[]
  readonly marks: readonly number[]
}

/** What explains a temperature, under it: of what the device measures besides. */
export function Lanes({ device, ...rest }: Props) {
  const said = device?.latest ?? []
  return LANES.map((lane) => {
    for (const quantity of lane.quantities) {
      const { sensor } = said.find(({ values }) => values[quantity] !== undefined) ?? {}
      if (sensor !== undefined)
        return (
          <Lane
            key={lane.name}
            lane={lane}
            {...rest}
            measured={{ deviceId: rest.measured.deviceId, sensor, quantity }}
          />
        )
    }
    return undefined
  })
}

function Lane({
  lane: { name, kind },
  measured,
  span,
  silentAfterMs,
  ...rest
}: Omit<Props, 'device'> & { readonly lane: LaneKind }) {
  const t = useMessages(refrigeratorMessages)
  const { curve } = useCurve(measured, span, silentAfterMs)
  const describe = useDescription(name, measured.quantity)
  if (!curve) return undefined
  return (
    <Chart
      label={t.lanes[name]}
      size="lane"
      plotted={curve}
      together={TOGETHER}
      {...{ kind, span, describe, ...rest }}
    />
  )
}

function useDescription(name: Name, quantity: Quantity): (point: Point) => string {
  const t = useMessages(refrigeratorMessages)
  const format = useFormat()
  return ({ min, max, mean }) => {
    if (name === 'power') return min > 0 ? t.powerOn : t.powerOff
    if (name !== 'door') return format.value(mean, quantity)
    if (max === 0) return t.doorShut
    return quantity === 'doorOpenSeconds' ? t.doorOpenFor(format.span(max)) : t.doorOpen
  }
}
