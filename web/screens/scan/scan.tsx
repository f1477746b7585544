import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { Button } from '../../controls/button.tsx'
import page from '../../controls/page.module.css'
import { PlacePicker } from '../../controls/place-picker.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { useMessages } from '../../messages.ts'
import { useKeyboardScanner } from '../../scanner.ts'
import { usePlace } from '../stock/use-place.ts'
import { Advice } from './advice.tsx'
import { Camera } from './camera.tsx'
import { lookUp, shipmentIn } from './look-up.ts'
import { scanMessages } from './messages.ts'
import { Result } from './result.tsx'
import styles from './scan.module.css'

const route = getRouteApi('/scan')

/** What a code is about, and what can be done with it. What was scanned is in the address. */
export function ScanPage() {
  const t = useMessages(scanMessages)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const place = usePlace(search.facilityId)
  const [isCamera, setCamera] = useState(false)
  const scanned = (code: string) => {
    setCamera(false)
    const shipmentId = shipmentIn(code)
    if (shipmentId === undefined) void navigate({ search: { ...search, code } })
    else void navigate({ to: '/shipments/$shipmentId', params: { shipmentId }, search: { receive: true } })
  }
  useKeyboardScanner(scanned)
  return (
    <>
      <header className={page['head']}>
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
      </header>
      <div className={page['filters']}>
        <PlacePicker
          label={t.place}
          value={search.facilityId}
          onChange={(facilityId) => void navigate({ search: { ...search, facilityId }, replace: true })}
        />
      </div>
      <div className={page['buttons']}>
        <Button kind={isCamera ? 'normal' : 'primary'} onPress={() => setCamera(!isCamera)}>
          {isCamera ? t.stopCamera : t.camera}
        </Button>
      </div>
      {isCamera && <Camera onCode={scanned} />}
      <TypedCode onCode={scanned} />
      {search.code !== undefined && <Found code={search.code} place={place} />}
    </>
  )
}

/** For a label that no camera and no scanner can read. */
function TypedCode({ onCode }: { readonly onCode: (code: string) => void }) {
  const t = useMessages(scanMessages)
  const [code, setCode] = useState('')
  return (
    <Form
      className={`${page['form']} ${page['panel']}`}
      onSubmit={(event) => {
        event.preventDefault()
        if (code.trim() === '') return
        onCode(code.trim())
        setCode('')
      }}
    >
      <TextField
        label={t.typed}
        hint={t.typedHint}
        value={code}
        onChange={setCode}
        maxLength={500}
        autoComplete="off"
      />
      <div className={page['buttons']}>
        <Button kind="normal" type="submit">
          {t.look}
        </Button>
      </div>
    </Form>
  )
}

function Found({ code, place }: { readonly code: string; readonly place: string | undefined }) {
  const t = useMessages(scanMessages)
  const found = useQuery({
    queryKey: ['scanCode', { code, place }],
    queryFn: async ({ signal }) => lookUp(code, place, signal),
    staleTime: 0,
  })
  return (
    <section className={page['panel']} aria-live="polite">
      <p className={styles['code']}>{t.code(readable(code))}</p>
      {found.isLoading && <Skeleton rows={1} />}
      {found.isError && (
        <>
          <ProblemNote problem={found.error} onRetry={() => void found.refetch()} />
          <Advice problem={found.error} />
        </>
      )}
      {found.data && <Result scan={found.data} place={place} />}
    </section>
  )
}

/** Control characters as people see them. */
function readable(code: string): string {
  return code.replaceAll('\u001d', '<GS>')
}
