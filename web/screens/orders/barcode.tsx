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
  const svg = draw(kind, text)
  if (svg === undefined) return <p>{text}</p>
  return (
    <img
      src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
      alt={label}
      className={styles[kind === 'gs1-128' ? 'bars' : 'matrix']}
    />
  )
}

/** Undefined for what no symbol can hold; then the text stands for itself, and the rest of the paper is printed all the same. */
function draw(kind: Props['kind'], text: string): string | undefined {
  // Black on white, whatever the colours of the screen: scanners need it, and the quiet zone around it.
  const looks = { text, scale: 2, padding: 4, backgroundcolor: 'ffffff' }
  try {
    return DRAW[kind]({ bcid: kind.replace('-', ''), ...looks }, drawingSVG())
  } catch {
    return undefined
  }
}
