import { Checkbox, type CheckboxProps } from 'react-aria-components'
import styles from './check.module.css'
import { Icon } from './icon.tsx'

interface Props extends CheckboxProps {
  readonly label: string
}

/** Yes or no. */
export function Check({ label, ...props }: Props) {
  return (
    <Checkbox {...props} className={styles['check'] ?? ''}>
      {({ isSelected }) => (
        <>
          <span className={styles['box']}>{isSelected && <Icon name="check" />}</span>
          {label}
        </>
      )}
    </Checkbox>
  )
}
