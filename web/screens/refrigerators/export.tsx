import { useMutation } from '@tanstack/react-query'
import { call } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import type { Span } from '../../controls/series.ts'
import { toast } from '../../controls/toasts.tsx'
import { dayIn } from '../../../domain/calendar.ts'
import { saveFile } from '../../download.ts'
import { useMessages } from '../../messages.ts'
import type { Operations, Reading } from '../../operations.ts'
import { readingsCsv } from './csv.ts'
import { refrigeratorMessages } from './messages.ts'
import type { Measured } from './readings.ts'

const PAGE_READINGS = 5000
/** More than a year of one a minute would not fit into a spreadsheet. */
const READINGS_MAX = 500_000

interface Props {
  readonly measured: Measured
  readonly span: Span
  readonly name: string
  readonly timeZone: string
}

/** Every reading of the time that is shown, as a file. */
export function Export({ measured, span, name, timeZone }: Props) {
  const t = useMessages(refrigeratorMessages)
  const saving = useMutation({
    mutationFn: async () => {
      const { readings, isWhole } = await allReadings(measured, span)
      saveFile(
        new Blob([readingsCsv(readings, timeZone)], { type: 'text/csv' }),
        `${name} ${dayIn(timeZone, span.from)} ${dayIn(timeZone, span.to)}.csv`,
      )
      return { isWhole, count: readings.length }
    },
    onSuccess: ({ isWhole, count }) => toast(isWhole ? t.exported(count) : t.exportedPart(count)),
  })
  return (
    <>
      <Button kind="normal" isDisabled={saving.isPending} onPress={() => saving.mutate()}>
        {saving.isPending ? t.exporting : t.export}
      </Button>
      {saving.isError && <ProblemNote problem={saving.error} onRetry={() => saving.mutate()} />}
    </>
  )
}

async function allReadings({ deviceId, sensor }: Measured, { from, to }: Span) {
  const readings: Reading[] = []
  const asked = { sensor, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
  let cursor: string | null = ''
  while (cursor !== null && readings.length < READINGS_MAX) {
    const page: Operations['listReadings']['response'] = await call('listReadings', {
      params: { id: deviceId },
      query: { ...asked, limit: PAGE_READINGS, ...(cursor !== '' && { cursor }) },
    })
    readings.push(...(page.items as readonly Reading[]))
    cursor = page.nextCursor
  }
  return { readings, isWhole: cursor === null }
}
