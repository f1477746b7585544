import { Problem } from '../../api.ts'
import { useMessages } from '../../messages.ts'
import { scanMessages } from './messages.ts'

/** What to do about a code that could not be read. */
export function Advice({ problem }: { readonly problem: unknown }) {
  const t = useMessages(scanMessages)
  const advice: Readonly<Record<string, string>> = t.advice
  if (!(problem instanceof Problem) || !problem.code.startsWith('scan.')) return undefined
  return <p>{advice[problem.code] ?? t.advice.other}</p>
}
