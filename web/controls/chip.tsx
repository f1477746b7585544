import styles from './controls.module.css'
import { Icon, type IconName } from './icon.tsx'

/** The states of what is cold, and their colours; `unknown` for what nobody knows or what no longer matters. */
export type State = 'in-range' | 'warm' | 'cold' | 'silent' | 'unknown'

const ICONS: Readonly<Record<State, IconName>> = {
  'in-range': 'check',
  warm: 'up',
  cold: 'snow',
  silent: 'offline',
  unknown: 'question',
}

interface Props {
  readonly state: State
  /** Instead of the state's own. */
  readonly icon?: IconName
  readonly children: string
}

/** A state as a sign, a word and a colour, never a colour alone. */
export function Chip({ state, icon = ICONS[state], children }: Props) {
  return (
    <span className={styles['chip']} data-state={state}>
      <Icon name={icon} /> {children}
    </span>
  )
}
