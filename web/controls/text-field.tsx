import {
  FieldError,
  Input,
  Label,
  TextArea,
  TextField as AriaTextField,
  type TextFieldProps,
} from 'react-aria-components'
import styles from './controls.module.css'

interface Props extends TextFieldProps {
  readonly label: string
  readonly lines?: number
}

export function TextField({ label, lines = 1, ...props }: Props) {
  return (
    <AriaTextField {...props} className={styles['field'] ?? ''}>
      <Label>{label}</Label>
      {lines > 1 ? (
        <TextArea rows={lines} className={styles['input'] ?? ''} />
      ) : (
        <Input className={styles['input'] ?? ''} />
      )}
      <FieldError className={styles['wrong'] ?? ''} />
    </AriaTextField>
  )
}
