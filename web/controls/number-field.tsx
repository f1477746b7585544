import {
  FieldError,
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
  /** What was refused of it, as in a text field. */
  readonly error?: string | undefined
}

/** A number of something: a whole one unless it says otherwise. */
export function NumberField({ label, hint, error, ...props }: Props) {
  // The numbers of a phone's keyboard have no minus.
  const isSigned = (props.minValue ?? 0) < 0
  return (
    <AriaNumberField
      minValue={0}
      formatOptions={{ maximumFractionDigits: 0 }}
      {...props}
      {...(error !== undefined && { isInvalid: true })}
      className={styles['field'] ?? ''}
    >
      <Label>{label}</Label>
      <Group>
        <Input className={styles['input'] ?? ''} inputMode={isSigned ? 'text' : 'numeric'} />
      </Group>
      {hint !== undefined && <Text slot="description">{hint}</Text>}
      <FieldError className={styles['wrong'] ?? ''}>{error}</FieldError>
    </AriaNumberField>
  )
}
