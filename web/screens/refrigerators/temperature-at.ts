import type { Point } from '../../controls/chart.tsx'
import { useFormat } from '../../format.ts'

/** Charts that show the same moment under the pointer. */
export const TOGETHER = 'refrigerator'

/** Says the time and the temperature under the pointer. */
export function useTemperatureAt(timeZone: string, quantity = 'temperature'): (point: Point) => string {
  const format = useFormat()
  return ({ timeMs, min, max, mean }) => {
    const value = (number: number) => format.value(number, quantity)
    const range = min === max ? value(mean) : `${value(mean)} (${format.number(min)} – ${value(max)})`
    return `${format.time(new Date(timeMs).toISOString(), timeZone)} · ${range}`
  }
}
