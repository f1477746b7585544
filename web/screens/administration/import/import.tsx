import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { FileTrigger } from 'react-aria-components'
import { call } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { Choice } from '../../../controls/choice.tsx'
import { Icon } from '../../../controls/icon.tsx'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { download } from '../../../download.ts'
import { useMessages } from '../../../messages.ts'
import type { ImportReport } from '../../../operations.ts'
import styles from '../administration.module.css'
import { administrationMessages } from '../messages.ts'
import { KINDS, type FileKind } from './kinds.ts'
import { importMessages } from './messages.ts'
import { Report } from './report.tsx'

/** What was read from the device. */
interface Chosen {
  readonly name: string
  readonly text: string
}

/** A file: first what it would do, then, when the person says so, doing it. */
export function Import() {
  const t = useMessages(importMessages)
  const shared = useMessages(administrationMessages)
  const [kind, setKind] = useState<FileKind>('facilities')
  return (
    <>
      <Link to="/administration" className={styles['back']}>
        <Icon name="back" /> {shared.title}
      </Link>
      <header className={styles['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <div className={styles['filters']}>
        <Choice
          label={t.kind}
          options={(Object.keys(KINDS) as FileKind[]).map((value) => ({ value, label: t.kinds[value] }))}
          value={kind}
          onChange={setKind}
        />
        <Current kind={kind} />
      </div>
      <section className={styles['panel']}>
        <h2>{t.columns}</h2>
        <p>
          <code>{KINDS[kind].join(', ')}</code>
        </p>
        <p className={styles['soft']}>{t.columnsHelp}</p>
      </section>
      <File key={kind} kind={kind} />
    </>
  )
}

/** A file that can be changed and imported again. */
function Current({ kind }: { readonly kind: FileKind }) {
  const t = useMessages(importMessages)
  const exporting = useMutation({
    mutationFn: () => download('exportCsv', { params: { kind } }, `${kind}.csv`),
  })
  return (
    <>
      {exporting.isError && <ProblemNote problem={exporting.error} />}
      <Button kind="normal" isDisabled={exporting.isPending} onPress={() => exporting.mutate()}>
        {t.current}
      </Button>
    </>
  )
}

function File({ kind }: { readonly kind: FileKind }) {
  const t = useMessages(importMessages)
  const { chosen, choose, isUnreadable, checking, running } = useFile(kind)
  const isBusy = checking.isPending || running.isPending
  const failed = running.error ?? checking.error
  return (
    <>
      <div className={styles['buttons']}>
        <FileTrigger
          acceptedFileTypes={['text/csv', '.csv', 'text/plain', 'text/tab-separated-values']}
          onSelect={(files) => void choose(files?.[0])}
        >
          <Button kind={chosen ? 'normal' : 'primary'} isDisabled={isBusy}>
            {chosen ? t.another : t.choose}
          </Button>
        </FileTrigger>
      </div>
      {isUnreadable && <ProblemNote problem={undefined} title={t.notUtf8} />}
      {failed && <ProblemNote problem={failed} />}
      {chosen && isBusy && (
        <Progress says={running.isPending ? t.importing(chosen.name) : t.checking(chosen.name)} />
      )}
      {chosen && !isBusy && (
        <Outcome
          name={chosen.name}
          checked={checking.data}
          done={running.data}
          onRun={() => running.mutate(chosen.text)}
        />
      )}
    </>
  )
}

interface OutcomeProps {
  readonly name: string
  readonly checked: ImportReport | undefined
  readonly done: ImportReport | undefined
  readonly onRun: () => void
}

function Outcome({ name, checked, done, onRun }: OutcomeProps) {
  if (done) return <Report name={name} report={done} />
  return checked && <Report name={name} report={checked} onRun={onRun} />
}

/** The file of the person: read, looked through at once, done when they say so. */
function useFile(kind: FileKind) {
  const [chosen, setChosen] = useState<Chosen>()
  const [isUnreadable, setUnreadable] = useState(false)
  const { checking, running, forget } = useImport(kind)
  const choose = async (file: globalThis.File | undefined) => {
    if (!file) return
    forget()
    const text = await readUtf8(file)
    setUnreadable(text === undefined)
    setChosen(text === undefined ? undefined : { name: file.name, text })
    if (text !== undefined) checking.mutate(text)
  }
  return { chosen, choose, isUnreadable, checking, running }
}

function Progress({ says }: { readonly says: string }) {
  return (
    <div role="status" className={`${styles['panel']} ${styles['progress']}`}>
      <p>{says}</p>
      <progress className={styles['bar']} aria-label={says} />
    </div>
  )
}

function useImport(kind: FileKind) {
  const client = useQueryClient()
  const send = (dryRun: boolean) => async (body: string) =>
    call('importCsv', { params: { kind }, query: { dryRun }, body })
  const checking = useMutation({ mutationFn: send(true) })
  const running = useMutation({
    mutationFn: send(false),
    // Whatever was imported, lists of it are old now.
    onSettled: () => client.invalidateQueries(),
  })
  return {
    checking,
    running,
    forget() {
      checking.reset()
      running.reset()
    },
  }
}

async function readUtf8(file: Blob): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  } catch {
    return undefined
  }
}
