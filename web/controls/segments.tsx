import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import styles from './segments.module.css'

interface Props<T extends string> {
  readonly label: string
  readonly options: readonly { readonly value: T; readonly label: string }[]
  /** Without one, none of them is what is shown. */
  readonly value: T | undefined
  readonly onChange: (value: T) => void
}

/** One of a few short words, all of them seen. */
export function Segments<T extends string>({ label, options, value, onChange }: Props<T>) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      className={styles['segments'] ?? ''}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={value === undefined ? [] : [value]}
      onSelectionChange={(keys) => {
        const chosen = options.find((option) => keys.has(option.value))
        if (chosen) onChange(chosen.value)
      }}
    >
      {options.map((option) => (
        <ToggleButton key={option.value} id={option.value} className={styles['segment'] ?? ''}>
          {option.label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  )
}
