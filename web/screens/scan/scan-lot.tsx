import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { parseScan } from '../../../domain/gs1-digital-link.ts'
import { labelOf } from '../../../domain/gs1.ts'
import { Problem } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { useMessages } from '../../messages.ts'
import { useKeyboardScanner } from '../../scanner.ts'
import { Advice } from './advice.tsx'
import { Camera } from './camera.tsx'
import { lookUp } from './look-up.ts'
import { scanMessages } from './messages.ts'
import styles from './scan.module.css'

export interface ScannedLot {
  /** Undefined without a network: then the code of the lot is all that is known. */
  readonly lotId: string | undefined
  readonly lotCode: string
  readonly itemId: string | undefined
  /** What to call it. */
  readonly about: string
}

interface Props {
  /** Takes the lot into the form, and says in words what came of it. */
  readonly onLot: (lot: ScannedLot) => string
}

/** Within a form: picks the lot by its code, with a scanner or the camera. */
export function ScanLot({ onLot }: Props) {
  const t = useMessages(scanMessages)
  const [isOpen, setOpen] = useState(false)
  const find = useMutation({
    networkMode: 'always',
    mutationFn: async (code: string) => {
      const lot = await lotIn(code)
      return lot ? onLot(lot) : t.form.noLot
    },
  })
  const scanned = (code: string) => {
    setOpen(false)
    find.mutate(code)
  }
  useKeyboardScanner(scanned)
  return (
    <div className={styles['lot']}>
      <Button kind="normal" onPress={() => setOpen(!isOpen)}>
        {isOpen ? t.form.stop : t.form.scan}
      </Button>
      {isOpen && <Camera onCode={scanned} />}
      <p role="status">{find.isPending ? t.looking : find.data}</p>
      {find.isError && (
        <>
          <ProblemNote problem={find.error} />
          <Advice problem={find.error} />
        </>
      )}
    </div>
  )
}

async function lotIn(code: string): Promise<ScannedLot | undefined> {
  try {
    const { lot, tradeItem } = await lookUp(code, undefined)
    if (!lot || !tradeItem) return undefined
    const { itemId, itemName } = tradeItem
    return { lotId: lot.id, lotCode: lot.code, itemId, about: `${itemName} · ${lot.code}` }
  } catch (error) {
    if (error instanceof Problem) throw error
    // No network: the code says the lot by itself.
    const year = new Date().getFullYear()
    const { lotCode } = labelOf(parseScan(code, year).elements, year)
    return lotCode === undefined
      ? undefined
      : { lotId: undefined, lotCode, itemId: undefined, about: lotCode }
  }
}
