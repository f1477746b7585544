import styles from './chart.module.css'
import { Icon } from './icon.tsx'

export type LegendKind = 'breach' | 'gap' | 'limit' | 'allowed' | 'range' | 'mark'

/** What the shapes of a chart mean. */
export function Legend({ of }: { readonly of: readonly (readonly [LegendKind, string])[] }) {
  return (
    <ul className={styles['legend']}>
      {of.map(([kind, text]) => (
        <li key={kind}>
          {kind === 'mark' ? (
            <Icon name="check" />
          ) : (
            <span className={styles['swatch']} data-kind={kind} aria-hidden="true" />
          )}
          {text}
        </li>
      ))}
    </ul>
  )
}
