import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { call, wholeList } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Chip } from '../../controls/chip.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Modal } from '../../controls/modal.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { Skeleton } from '../../controls/skeleton.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Shipment } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { ScanLot, type ScannedLot } from '../scan/scan-lot.tsx'
import { useAmount } from '../stock/describe.tsx'
import { stockMessages } from '../stock/messages.ts'
import { useItems } from '../stock/use-place.ts'
import { Buttons } from './decide.tsx'
import { ReasonChoice, Warnings } from './describe.tsx'
import { orderMessages } from './messages.ts'
import { shipmentMessages } from './shipment-messages.ts'
import { useLineName } from './ship.tsx'
import { OUTDATED } from './use-orders.ts'

const SHORT = 'rejected-short'
const STAGES = [1, 2, 3, 4] as const

interface Props {
  readonly shipment: Shipment
  /** What the server said of it, once it is received. */
  readonly received: Shipment | undefined
  readonly onReceived: (shipment: Shipment) => void
  readonly onClose: () => void
}

/** Takes a shipment in; then says what came of it, and what the receiver should know. */
export function Receive({ shipment, received, onReceived, onClose }: Props) {
  const t = useMessages(shipmentMessages)
  return (
    <Modal
      isOpen
      isOnce={received !== undefined}
      title={t.receiving.title(shipment.documentNo)}
      onClose={onClose}
    >
      {received ? (
        <Received shipment={received} onClose={onClose} />
      ) : (
        <ReceiveForm shipment={shipment} onReceived={onReceived} onClose={onClose} />
      )}
    </Modal>
  )
}

function Received({ shipment, onClose }: { readonly shipment: Shipment; readonly onClose: () => void }) {
  const t = useMessages(shipmentMessages)
  const stock = useMessages(stockMessages)
  const shell = useMessages(shellMessages)
  const nameOf = useLineName(shipment)
  const sum = (of: 'accepted' | 'rejected' | 'short') =>
    stock.doses(shipment.lines.reduce((all, line) => all + line[of], 0))
  return (
    <>
      <p role="status">
        {t.receiving.done(shipment.documentNo)}{' '}
        {t.receiving.summary(sum('accepted'), sum('rejected'), sum('short'))}
      </p>
      <Warnings warnings={shipment.warnings} nameOf={nameOf} />
      <div className={page['buttons']}>
        <Button kind="primary" onPress={onClose}>
          {shell.close}
        </Button>
      </div>
    </>
  )
}

interface Found {
  readonly accepted: number
  readonly rejected: number
  readonly reasonCode: string
  readonly vvmStage: number
}

function expected({ doses, vvmStage }: Line): Found {
  return { accepted: doses, rejected: 0, reasonCode: '', vvmStage }
}

function missingOf({ doses }: Line, { accepted, rejected }: Found): number {
  return doses - (accepted || 0) - (rejected || 0)
}

type Line = Shipment['lines'][number]

function ReceiveForm({ shipment, onReceived, onClose }: Omit<Props, 'received'>) {
  const t = useMessages(shipmentMessages)
  const shared = useMessages(orderMessages)
  const points = usePoints(shipment.toFacilityId)
  const [chosen, setChosen] = useState<string>()
  const { found, say, isShort, isWhole } = useFound(shipment)
  const [scanned, setScanned] = useState<ReadonlySet<number>>(new Set())
  const [shortReasonCode, setShortReasonCode] = useState(SHORT)
  const [comment, setComment] = useState('')
  const storagePointId = chosen ?? points?.[0]?.id ?? ''
  const body = {
    storagePointId,
    ...given({ comment, shortReasonCode: isShort ? shortReasonCode : '' }),
    lines: found.map(({ line, of }) => partOf(line, of)),
  }
  const act = useOnce((key: string) => call('receiveShipment', { params: { id: shipment.id }, body, key }), {
    outdates: OUTDATED,
    onDone: onReceived,
  })
  const onScan = ({ lotId, about }: ScannedLot) => {
    const lines = shipment.lines.filter((line) => line.lotId === lotId)
    if (lines.length === 0) return t.receiving.notInIt(about)
    setScanned(new Set([...scanned, ...lines.map(({ line }) => line)]))
    return t.receiving.found(about)
  }
  if (!points) return <Skeleton rows={3} />
  if (points.length === 0) return <p>{t.receiving.noPoint}</p>
  return (
    <Form
      className={page['form'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate(undefined)
      }}
    >
      <p>{t.receiving.lead}</p>
      <ScanLot onLot={onScan} />
      <Choice
        label={t.receiving.where}
        options={points.map(({ id, name }) => ({ value: id, label: name }))}
        value={storagePointId}
        onChange={setChosen}
      />
      {found.map(({ line, of }) => (
        <FoundLine
          key={line.line}
          line={line}
          of={of}
          name={<LineName shipment={shipment} line={line.line} isScanned={scanned.has(line.line)} />}
          onSay={(next) => say(line, next)}
        />
      ))}
      {isShort && (
        <ReasonChoice
          label={t.receiving.whyShort}
          kind="rejection"
          value={shortReasonCode}
          onChange={setShortReasonCode}
        />
      )}
      <TextField label={shared.commentOptional} value={comment} onChange={setComment} maxLength={2000} />
      {act.isError && <ProblemNote problem={act.error} />}
      <Buttons submit={t.receiving.save} isDisabled={act.isPending || !isWhole} onClose={onClose} />
    </Form>
  )
}

/** What was filled in. */
function given<T extends Readonly<Record<string, string>>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== '')) as Partial<T>
}

/** Where a place can put what arrives; undefined until it is known. */
function usePoints(facilityId: string) {
  const points = useQuery(wholeList('listStoragePoints', { facilityId })).data
  return points?.items.filter((point) => point.facilityId === facilityId)
}

/** What was found of each line: what was sent, until something else is said. */
function useFound({ lines }: Shipment) {
  const [said, setSaid] = useState<ReadonlyMap<number, Found>>(new Map())
  const found = lines.map((line) => ({ line, of: said.get(line.line) ?? expected(line) }))
  return {
    found,
    say: ({ line }: Line, next: Found) => setSaid(new Map([...said, [line, next]])),
    isShort: found.some(({ line, of }) => missingOf(line, of) > 0),
    isWhole: found.every(
      ({ line, of }) => missingOf(line, of) >= 0 && (of.rejected === 0 || of.reasonCode !== ''),
    ),
  }
}

function partOf(line: Line, { accepted, rejected, reasonCode, vvmStage }: Found) {
  return {
    line: line.line,
    accepted: accepted || 0,
    ...(rejected > 0 && { rejected, reasonCode }),
    ...(vvmStage !== line.vvmStage && { vvmStage }),
  }
}

interface NameProps {
  readonly shipment: Shipment
  readonly line: number
  readonly isScanned: boolean
}

function LineName({ shipment, line, isScanned }: NameProps) {
  const t = useMessages(shipmentMessages)
  const name = useLineName(shipment)(line)
  return (
    <>
      {name} {isScanned && <Chip state="in-range">{t.receiving.scanned}</Chip>}
    </>
  )
}

interface FoundProps {
  readonly line: Line
  readonly of: Found
  readonly name: React.ReactNode
  readonly onSay: (found: Found) => void
}

/** What was found of a line: what is neither accepted nor rejected is missing, and said so. */
function FoundLine({ line, of, name, onSay }: FoundProps) {
  const t = useMessages(shipmentMessages)
  const stock = useMessages(stockMessages)
  const amount = useAmount()
  const item = useItems().get(line.itemId)
  const missing = missingOf(line, of)
  const say = (change: Partial<Found>) => onSay({ ...of, ...change })
  // What is rejected was counted among what came.
  const reject = (rejected: number) =>
    say({ rejected, accepted: Math.min(of.accepted, line.doses - rejected) })
  return (
    <fieldset className={page['group']}>
      <legend>{name}</legend>
      <p className={page['soft']}>
        {t.sent}: {amount(item, line.doses)}
      </p>
      <NumberField
        label={t.receiving.accepted}
        value={of.accepted}
        onChange={(accepted) => say({ accepted })}
        maxValue={line.doses}
        isRequired
      />
      <NumberField
        label={t.receiving.rejected}
        value={of.rejected}
        onChange={(typed) => reject(Number.isNaN(typed) ? 0 : typed)}
        maxValue={line.doses}
      />
      {of.rejected > 0 && (
        <ReasonChoice
          label={t.receiving.why}
          kind="rejection"
          value={of.reasonCode}
          onChange={(reasonCode) => say({ reasonCode })}
        />
      )}
      {line.vvmStage > 0 && (
        <Choice
          label={t.receiving.stage}
          options={STAGES.filter((stage) => stage >= line.vvmStage).map((stage) => ({
            value: String(stage),
            label: stock.vvm(stage),
          }))}
          value={String(of.vvmStage)}
          onChange={(stage) => say({ vvmStage: Number(stage) })}
        />
      )}
      <div role="status">
        {missing > 0 && (
          <p className={page['chips']}>
            <Chip state="silent" icon="question">
              {t.receiving.missing(amount(item, missing))}
            </Chip>
          </p>
        )}
        {missing < 0 && (
          <p className={page['chips']}>
            <Chip state="warm" icon="alarm">
              {t.receiving.tooMany}
            </Chip>
          </p>
        )}
      </div>
    </fieldset>
  )
}
