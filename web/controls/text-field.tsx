import {
  FieldError,
  Input,
  Label,
  Text,
  TextArea,
  TextField as AriaTextField,
  type TextFieldProps,
} from 'react-aria-components'
import styles from './controls.module.css'

interface Props extends TextFieldProps {
  readonly label: string
  readonly lines?: number
  /** What is to be known before it is filled in. */
  readonly hint?: string | undefined
  /** What was refused of it: stays until it is sent again, so that nothing moves under a finger. */
  readonly error?: string | undefined
}

export function TextField({ label, lines = 1, hint, error, ...props }: Props) {
  return (
    <AriaTextField
      {...props}
      {...(error !== undefined && { isInvalid: true })}
      className={styles['field'] ?? ''}
    >
      <Label>{label}</Label>
      {lines > 1 ? (
        <TextArea rows={lines} className={styles['input'] ?? ''} />
      ) : (
        <Input className={styles['input'] ?? ''} />
      )}
      {hint !== undefined && <Text slot="description">{hint}</Text>}
      <FieldError className={styles['wrong'] ?? ''}>{error}</FieldError>
    </AriaTextField>
  )
}
