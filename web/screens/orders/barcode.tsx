import { datamatrix, drawingSVG, gs1_128, gs1datamatrix } from 'bwip-js/browser'
import styles from './papers.module.css'

const DRAW = { 'gs1-128': gs1_128, gs1datamatrix, datamatrix } as const

interface Props {
  readonly kind: keyof typeof DRAW
  /** GS1 ones with identifiers in parentheses. */
  readonly text: string
  /** What it is, for those who do not see it. */
  readonly label: string
}

/** A barcode, drawn here: as an image, since the policy of the page lets no markup in. */
export function Barcode({ kind, text, label }: Props) {
  // Black on white, whatever the colours of the screen: scanners need it, and the quiet zone around it.
  const looks = { text, scale: 2, padding: 4, backgroundcolor: 'ffffff' }
  const svg = DRAW[kind]({ bcid: kind.replace('-', ''), ...looks }, drawingSVG())
  return (
    <img
      src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
      alt={label}
      className={styles[kind === 'gs1-128' ? 'bars' : 'matrix']}
    />
  )
}
