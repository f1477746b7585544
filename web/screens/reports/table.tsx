import { useMessages } from '../../messages.ts'
import { useFormat } from '../../format.ts'
import { usePreferences } from '../../preferences.ts'
import { reportMessages } from './messages.ts'
import { kindOf, reportOf, type ColumnName, type ReportName, type Row } from './reports.ts'
import styles from './reports.module.css'

interface Props {
  readonly name: ReportName
  readonly rows: readonly Row[]
}

/** The rows as they are; a narrow screen moves it sideways. */
export function Table({ name, rows }: Props) {
  const t = useMessages(reportMessages)
  const write = useCells()
  const columns = reportOf(name).columns.filter((column) => rows.some((row) => row[column] != null))
  return (
    <div className={styles['scroll']} role="region" aria-label={t.names[name]} tabIndex={0}>
      <table className={styles['table']}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" data-kind={kindOf(column)}>
                {t.columns[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {columns.map((column) => (
                <td key={column} data-kind={kindOf(column)}>
                  {write(column, row[column] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** How cells are written in the language of the person; what is not known is a dash. */
function useCells(): (column: ColumnName, cell: string | number | null) => string {
  const t = useMessages(reportMessages)
  const { day } = useFormat()
  const { language } = usePreferences()
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const words: Readonly<Record<string, string>> = { ...t.vials, ...t.severities }
  return (column, cell) => {
    if (cell === null) return column === 'cause' ? t.allCauses : '–'
    if (column === 'period') return String(cell).replace('/', ' – ')
    switch (kindOf(column)) {
      case 'number':
        return number.format(Number(cell))
      case 'share':
        return share.format(Number(cell))
      case 'day':
        return day(String(cell))
      case 'word':
        return words[cell] ?? String(cell)
      case 'text':
        return String(cell)
    }
  }
}
