import { Button } from '../../../controls/button.tsx'
import { Chip } from '../../../controls/chip.tsx'
import { saveFile } from '../../../download.ts'
import { useFormat } from '../../../format.ts'
import { useMessages } from '../../../messages.ts'
import type { ImportReport } from '../../../operations.ts'
import styles from '../administration.module.css'
import { Facts } from '../facts.tsx'
import { errorsFile } from './errors-file.ts'
import { importMessages } from './messages.ts'

const SHOWN_MAX = 100

type ImportError = ImportReport['errors'][number]

interface Props {
  readonly name: string
  readonly report: ImportReport
  /** Of a dry run: does it. */
  readonly onRun?: () => void
}

/** What an import did, or would do, with the wrong rows. */
export function Report({ name, report, onRun }: Props) {
  const t = useMessages(importMessages)
  const format = useFormat()
  const { rows, created, updated, unchanged, failed } = report
  const wanted = created + updated
  return (
    <>
      <section className={styles['panel']} role="status">
        <h2>{report.dryRun ? t.checked(name) : t.imported(name)}</h2>
        <Facts
          facts={[
            [t.rows, format.number(rows)],
            [t.created, format.number(created)],
            [t.updated, format.number(updated)],
            [t.unchanged, format.number(unchanged)],
            [t.failed, format.number(failed)],
          ]}
        />
        {onRun && wanted === 0 && <p>{t.nothing}</p>}
        {onRun && wanted > 0 && (
          <div>
            <Button kind={failed === 0 ? 'primary' : 'normal'} onPress={onRun}>
              {failed === 0 ? t.run(wanted) : t.runWithout(wanted, failed)}
            </Button>
          </div>
        )}
      </section>
      {report.errors.length > 0 && <Errors report={report} />}
    </>
  )
}

function Errors({ report }: { readonly report: ImportReport }) {
  const t = useMessages(importMessages)
  const { errors, kind } = report
  const save = () => saveFile(new Blob([errorsFile(errors)], { type: 'text/csv' }), `${kind}-errors.csv`)
  return (
    <section className={styles['panel']}>
      <h2>{t.errors(errors.length)}</h2>
      <p className={styles['soft']}>{t.errorsLead}</p>
      <div>
        <Button kind="normal" onPress={save}>
          {t.saveErrors}
        </Button>
      </div>
      <ol className={styles['entries']}>
        {errors.slice(0, SHOWN_MAX).map((error) => (
          <WrongRow key={error.row} error={error} />
        ))}
      </ol>
      {errors.length > SHOWN_MAX && <p className={styles['soft']}>{t.shownOf(SHOWN_MAX, errors.length)}</p>}
    </section>
  )
}

function WrongRow({ error }: { readonly error: ImportError }) {
  const t = useMessages(importMessages)
  const { row, column, detail, cells } = error
  return (
    <li>
      <p className={styles['said']}>
        <Chip state="warm" icon="alarm">
          {t.row(row)}
        </Chip>
        <strong>{column === null ? detail : `${column}: ${detail}`}</strong>
      </p>
      {cells === null ? (
        <p className={styles['soft']}>{t.wide}</p>
      ) : (
        <dl className={styles['cells']}>
          {Object.entries(cells).map(([name, text]) => (
            <div key={name} data-wrong={name === column}>
              <dt>{name}</dt>
              <dd>{text || '—'}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}
