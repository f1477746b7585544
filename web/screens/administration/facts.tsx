import styles from './administration.module.css'

interface Props {
  readonly facts: readonly (readonly [string, string | undefined])[]
}

/** Names and values; what is not known is left out. */
export function Facts({ facts }: Props) {
  return (
    <dl className={styles['facts']}>
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}
