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
  readonly description?: string
}

export function TextField({ label, lines = 1, description, ...props }: Props) {
  return (
    <AriaTextField {...props} className={styles['field'] ?? ''}>
      <Label>{label}</Label>
      {lines > 1 ? (
        <TextArea rows={lines} className={styles['input'] ?? ''} />
      ) : (
        <Input className={styles['input'] ?? ''} />
      )}
      {description !== undefined && <Text slot="description">{description}</Text>}
      <FieldError className={styles['wrong'] ?? ''} />
    </AriaTextField>
  )
}
