import {
  Group,
  Input,
  Label,
  NumberField as AriaNumberField,
  Text,
  type NumberFieldProps,
} from 'react-aria-components'
import styles from './controls.module.css'

interface Props extends NumberFieldProps {
  readonly label: string
  /** Beside the number: the same in another unit. */
  readonly hint?: string | undefined
}

/** A whole number of something. */
export function NumberField({ label, hint, ...props }: Props) {
  return (
    <AriaNumberField
      minValue={0}
      formatOptions={{ maximumFractionDigits: 0 }}
      {...props}
      className={styles['field'] ?? ''}
    >
      <Label>{label}</Label>
      <Group>
        <Input className={styles['input'] ?? ''} inputMode="numeric" />
      </Group>
      {hint !== undefined && <Text slot="description">{hint}</Text>}
    </AriaNumberField>
  )
}
