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
  readonly hint?: string | undefined
}

export function TextField({ label, lines = 1, hint, ...props }: Props) {
  return (
    <AriaTextField {...props} className={styles['field'] ?? ''}>
      <Label>{label}</Label>
      {lines > 1 ? (
        <TextArea rows={lines} className={styles['input'] ?? ''} />
      ) : (
        <Input className={styles['input'] ?? ''} />
      )}
      {hint !== undefined && <Text slot="description">{hint}</Text>}
      <FieldError className={styles['wrong'] ?? ''} />
    </AriaTextField>
  )
}
