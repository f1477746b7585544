import {
  Button,
  ComboBox,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  type ComboBoxProps,
} from 'react-aria-components'
import styles from './controls.module.css'
import { Icon } from './icon.tsx'

export interface Offered {
  readonly id: string
  readonly name: string
}

interface Props extends ComboBoxProps<Offered> {
  readonly label: string
}

/** One of many that have names, found by a part of its name. */
export function Combo({ label, ...props }: Props) {
  return (
    <ComboBox {...props} className={styles['field'] ?? ''} menuTrigger="focus">
      <Label>{label}</Label>
      <div className={styles['combo']}>
        <Input className={styles['input'] ?? ''} />
        <Button>
          <Icon name="down" />
        </Button>
      </div>
      <Popover className={styles['popover'] ?? ''}>
        <ListBox className={styles['options'] ?? ''}>
          {(one: Offered) => (
            <ListBoxItem className={styles['option'] ?? ''} textValue={one.name}>
              {one.name}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  )
}
