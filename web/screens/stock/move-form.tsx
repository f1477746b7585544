import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { wholeList } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { Modal } from '../../controls/modal.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { toast } from '../../controls/toasts.tsx'
import { useFormat } from '../../format.ts'
import type { NewStockEvent, Waiting } from '../../kept.ts'
import { useMessages } from '../../messages.ts'
import type { Item, OnHand } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { record } from '../../waiting.ts'
import { scanMessages } from '../scan/messages.ts'
import { ScanLot, type ScannedLot } from '../scan/scan-lot.tsx'
import { Arriving } from '../orders/arriving.tsx'
import { useAmount } from './describe.tsx'
import { inOrderOfUse, isUsable, lineKey, today } from './lines.ts'
import { stockMessages } from './messages.ts'
import { eventOf, REASON_KINDS, saidIn, spotOf, wastedOf, type Said, type Spot } from './move.ts'
import type { Move } from './routes.ts'
import styles from './stock.module.css'
import { useFormLists, useItems, useStock } from './use-place.ts'

interface Props {
  readonly move: Move
  readonly facilityId: string
  readonly itemId: string
  /** Chosen already, as after a scan. */
  readonly lotId?: string | undefined
  /** What was refused, to be said anew. */
  readonly again?: Waiting | undefined
  readonly onClose: () => void
}

interface Option {
  readonly value: string
  readonly label: string
  readonly lotCode: string
  readonly spot: Spot
}

/** Something that happens to stock, with the lot that is to be used first proposed. */
export function MoveForm({ move, facilityId, itemId, lotId, again, onClose }: Props) {
  const t = useMessages(stockMessages)
  const item = useItems().get(itemId)
  const before = bodyOf(again)
  const options = useOptions(move, facilityId, itemId)
  const [chosen, setChosen] = useState<string>()
  const option = choose(options, chosen, before?.lines[0]?.lotId ?? lotId)
  const [said, setSaid] = useState<Said>(() => saidIn(before, item))
  const onScan = useScan(itemId, options, setChosen)
  const name = item?.name ?? ''
  const about = joined(name, option?.lotCode)
  const act = useMutation({
    networkMode: 'always',
    mutationFn: (body: NewStockEvent) =>
      record({ facilityId, itemId, about, asked: { operation: 'recordStockEvent', body } }, again?.id),
    onSuccess: (isSent) => {
      toast(isSent ? t.saved(about) : t.keptHere(about))
      onClose()
    },
  })
  return (
    <Modal isOpen title={`${t.moves[move]}: ${name}`} onClose={onClose}>
      {act.isError && <ProblemNote problem={act.error} />}
      {move === 'receive' && <Arriving facilityId={facilityId} itemId={itemId} />}
      {!option && <p>{t.noLots}</p>}
      {option && (
        <Form
          className={styles['form'] ?? ''}
          onSubmit={(event) => {
            event.preventDefault()
            act.mutate(eventOf(move, facilityId, option.spot, said, item))
          }}
        >
          <ScanLot onLot={onScan} />
          <Choice label={t.from} options={options} value={option.value} onChange={setChosen} />
          <Fields move={move} item={item} spot={option.spot} said={said} onSay={setSaid} />
          <FormButtons busy={act.isPending} onClose={onClose} />
        </Form>
      )}
    </Modal>
  )
}

/** Takes a lot that was scanned, if it is among what can be chosen, and says what came of it. */
function useScan(itemId: string, options: readonly Option[], onChoose: (value: string) => void) {
  const t = useMessages(scanMessages)
  return ({ lotId, lotCode, itemId: of, about }: ScannedLot): string => {
    if (of !== undefined && of !== itemId) return t.form.otherItem(about)
    const found = options.find((one) =>
      lotId === undefined ? one.lotCode === lotCode : one.spot.lotId === lotId,
    )
    if (!found) return t.form.notHere(about)
    onChoose(found.value)
    return t.form.chosen(about)
  }
}

function bodyOf(waiting: Waiting | undefined): NewStockEvent | undefined {
  return waiting?.asked.operation === 'recordStockEvent' ? waiting.asked.body : undefined
}

/** What the person chose, else the lot that was scanned, else what is to be used first. */
function choose(options: readonly Option[], value: string | undefined, lotId: string | undefined) {
  return (
    options.find((option) => option.value === value) ??
    options.find(({ spot }) => spot.lotId === lotId) ??
    options[0]
  )
}

function FormButtons({ busy, onClose }: { readonly busy: boolean; readonly onClose: () => void }) {
  const t = useMessages(stockMessages)
  const shell = useMessages(shellMessages)
  return (
    <div className={styles['buttons']}>
      <Button kind="normal" onPress={onClose}>
        {shell.cancel}
      </Button>
      <Button kind="primary" type="submit" isDisabled={busy}>
        {busy ? t.saving : t.save}
      </Button>
    </div>
  )
}

function joined(...parts: readonly (string | undefined | false)[]): string {
  return parts.filter(Boolean).join(' · ')
}

/** For what arrives: every lot of the item, at every storage point. For everything else: what is on hand. */
function useOptions(move: Move, facilityId: string, itemId: string): Option[] {
  const t = useMessages(stockMessages)
  const { day: onDay } = useFormat()
  const amount = useAmount()
  const item = useItems().get(itemId)
  const { stock } = useStock(facilityId)
  const { points = [] } = useFormLists(facilityId)
  const lots =
    useQuery({ ...wholeList('listLots', { itemId }), enabled: move === 'receive' }).data?.items ?? []
  const nameOf = (id: string) =>
    points.length > 1 ? points.find((point) => point.id === id)?.name : undefined
  if (move === 'receive')
    return lots
      .filter(({ recalledAt, archivedAt }) => recalledAt === null && archivedAt === null)
      .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
      .flatMap((lot) =>
        points.map((point) => ({
          value: `${lot.id} ${point.id}`,
          label: joined(lot.code, t.expires(onDay(lot.expiresOn)), nameOf(point.id)),
          lotCode: lot.code,
          spot: {
            storagePointId: point.id,
            lotId: lot.id,
            vvmStage: item?.vvmType == null ? 0 : 1,
            held: false,
            doses: 0,
          },
        })),
      )
  const there = (stock.data?.items ?? []).filter((line) => isOffered(line, move, facilityId, itemId))
  return inOrderOfUse(there).map((line) => ({
    value: lineKey(line),
    label: joined(
      line.lotCode,
      t.expires(onDay(line.expiresOn)),
      item?.vvmType != null && t.vvm(line.vvmStage),
      line.held && t.held,
      amount(item, line.doses),
      nameOf(line.storagePointId),
    ),
    lotCode: line.lotCode,
    spot: spotOf(line),
  }))
}

function isOffered(line: OnHand, move: Move, facilityId: string, itemId: string): boolean {
  if (line.facilityId !== facilityId || line.itemId !== itemId || line.doses === 0) return false
  return move === 'consume' || move === 'issue' ? isUsable(line, today()) : true
}

interface FieldsProps {
  readonly move: Move
  readonly item: Item | undefined
  readonly spot: Spot
  readonly said: Said
  readonly onSay: (said: Said) => void
}

function Fields({ move, item, spot, said, onSay }: FieldsProps) {
  const t = useMessages(stockMessages)
  const amount = useAmount()
  const say = (change: Partial<Said>) => onSay({ ...said, ...change })
  const inVials = Number.isNaN(said.doses) ? undefined : amount(item, said.doses)
  const label = move === 'consume' ? t.administered : move === 'count' ? t.counted : t.quantity
  return (
    <>
      {move === 'consume' && (
        <NumberField
          label={t.opened}
          value={said.vialsOpened}
          onChange={(vialsOpened) => say({ vialsOpened })}
          minValue={1}
          isRequired
        />
      )}
      {move === 'adjust' && (
        <Choice
          label={t.direction}
          options={[
            { value: 'less', label: t.less },
            { value: 'more', label: t.more },
          ]}
          value={said.isLess ? 'less' : 'more'}
          onChange={(value) => say({ isLess: value === 'less' })}
        />
      )}
      <NumberField
        label={label}
        value={said.doses}
        onChange={(doses) => say({ doses })}
        minValue={move === 'count' || move === 'consume' ? 0 : 1}
        hint={move === 'count' ? t.expected(amount(item, spot.doses)) : inVials}
        autoFocus
        isRequired
      />
      {move === 'consume' && !Number.isNaN(said.doses) && (
        <p className={page['strong']} role="status">
          {t.wastedFrom(t.doses(wastedOf(item, said)))}
        </p>
      )}
      <ReasonChoice move={move} value={said.reasonCode} onChange={(reasonCode) => say({ reasonCode })} />
      <TextField
        label={t.comment}
        value={said.comment}
        onChange={(comment) => say({ comment })}
        maxLength={2000}
      />
    </>
  )
}

interface ReasonProps {
  readonly move: Move
  readonly value: string | undefined
  readonly onChange: (code: string | undefined) => void
}

function ReasonChoice({ move, value, onChange }: ReasonProps) {
  const t = useMessages(stockMessages)
  const { reasons = [] } = useFormLists(undefined)
  const kind = REASON_KINDS[move]
  const fitting = reasons.filter((reason) => reason.kind === kind && reason.archivedAt === null)
  if (kind === undefined || fitting.length === 0) return undefined
  return (
    <Choice
      label={t.reason}
      options={[
        { value: '', label: t.noReason },
        ...fitting.map(({ code, name }) => ({ value: code, label: name })),
      ]}
      value={value ?? ''}
      onChange={(code) => onChange(code === '' ? undefined : code)}
    />
  )
}
