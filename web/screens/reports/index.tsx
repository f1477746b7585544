import { Link } from '@tanstack/react-router'
import { useMay } from '../../api.ts'
import { useMessages } from '../../messages.ts'
import { reportMessages } from './messages.ts'
import { REPORT_NAMES, reportOf, type ReportName } from './reports.ts'
import styles from './reports.module.css'

export function ReportList() {
  const t = useMessages(reportMessages)
  return (
    <>
      <header className={styles['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <ul className={styles['list']}>
        {REPORT_NAMES.map((name) => (
          <Entry key={name} name={name} />
        ))}
      </ul>
    </>
  )
}

function Entry({ name }: { readonly name: ReportName }) {
  const t = useMessages(reportMessages)
  const may = useMay(reportOf(name).operation)
  if (!may) return undefined
  return (
    <li>
      <Link to="/reports/$name" params={{ name }} className={styles['name']}>
        {t.names[name]}
      </Link>
      <p>{t.leads[name]}</p>
    </li>
  )
}
