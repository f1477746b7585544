import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { call, wholeList } from '../../api.ts'
import { Button } from '../../controls/button.tsx'
import { Choice } from '../../controls/choice.tsx'
import { LinkButton } from '../../controls/link-button.tsx'
import { Modal } from '../../controls/modal.tsx'
import { NumberField } from '../../controls/number-field.tsx'
import page from '../../controls/page.module.css'
import { ProblemNote } from '../../controls/problem-note.tsx'
import { TextField } from '../../controls/text-field.tsx'
import { useMessages } from '../../messages.ts'
import { useOnce } from '../../once.ts'
import type { Order, Shipment } from '../../operations.ts'
import { shellMessages } from '../../shell/messages.ts'
import { useAmount } from '../stock/describe.tsx'
import { useItems } from '../stock/use-place.ts'
import { keyOf, useSpot } from './allocations.tsx'
import { Buttons } from './decide.tsx'
import { Warnings } from './describe.tsx'
import { orderMessages } from './messages.ts'
import { shipmentMessages } from './shipment-messages.ts'
import { OUTDATED, useLots } from './use-orders.ts'

interface Props {
  readonly order: Order
  readonly onClose: () => void
}

interface Box {
  readonly name: string
  /** Empty: none. */
  readonly deviceId: string
}

/** Sends what is promised, or a part of it; then says what the sender should know. */
export function Ship({ order, onClose }: Props) {
  const t = useMessages(shipmentMessages)
  const [gone, setGone] = useState<Shipment>()
  return (
    <Modal
      isOpen
      isOnce={gone !== undefined}
      title={`${t.ship.title}: ${order.documentNo}`}
      onClose={onClose}
    >
      {gone ? (
        <Gone shipment={gone} onClose={onClose} />
      ) : (
        <ShipForm order={order} onClose={onClose} onGone={setGone} />
      )}
    </Modal>
  )
}

function Gone({ shipment, onClose }: { readonly shipment: Shipment; readonly onClose: () => void }) {
  const t = useMessages(shipmentMessages)
  const shell = useMessages(shellMessages)
  const nameOf = useLineName(shipment)
  return (
    <>
      <p role="status">{t.ship.gone(shipment.documentNo)}</p>
      <Warnings warnings={shipment.warnings} nameOf={nameOf} />
      <div className={page['buttons']}>
        <Button kind="normal" onPress={onClose}>
          {shell.close}
        </Button>
        <LinkButton kind="primary" to="/shipments/$shipmentId/papers" params={{ shipmentId: shipment.id }}>
          {t.papers}
        </LinkButton>
      </div>
    </>
  )
}

/** What a line of a shipment is called: its item and lot. */
export function useLineName(shipment: Shipment): (line: number) => string {
  const t = useMessages(shipmentMessages)
  const items = useItems()
  const lots = useLots(shipment.lines.map(({ lotId }) => lotId))
  return (number) => {
    const line = shipment.lines.find((one) => one.line === number)
    if (!line) return ''
    return t.lotOf(items.get(line.itemId)?.name ?? '…', lots.get(line.lotId)?.code ?? '…')
  }
}

interface FormProps extends Props {
  readonly onGone: (shipment: Shipment) => void
}

function ShipForm({ order, onClose, onGone }: FormProps) {
  const t = useMessages(shipmentMessages)
  const shared = useMessages(orderMessages)
  const [changed, setChanged] = useState<ReadonlyMap<string, number>>(new Map())
  const [boxes, setBoxes] = useState<readonly Box[]>([])
  const [sscc, setSscc] = useState('')
  const [comment, setComment] = useState('')
  const lines = sentOf(order, changed)
  const body = {
    lines,
    ...(sscc !== '' && { sscc }),
    ...(comment !== '' && { comment }),
    coldBoxes: boxes.map(({ name, deviceId }) => ({ name, ...(deviceId !== '' && { deviceId }) })),
  }
  const act = useOnce((key: string) => call('createShipment', { params: { id: order.id }, body, key }), {
    outdates: OUTDATED,
    onDone: onGone,
  })
  return (
    <Form
      className={page['form'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate(undefined)
      }}
    >
      <p>{t.ship.lead}</p>
      {order.lines.map((line) => (
        <ShipLine
          key={line.line}
          line={line}
          facilityId={order.fromFacilityId}
          changed={changed}
          onChange={(key, doses) => setChanged(new Map([...changed, [key, doses]]))}
        />
      ))}
      <Boxes facilityId={order.fromFacilityId} boxes={boxes} onChange={setBoxes} />
      <TextField
        label={t.ship.sscc}
        value={sscc}
        onChange={setSscc}
        pattern="\d{18}"
        inputMode="numeric"
        hint={t.ship.ssccHint}
      />
      <TextField label={shared.commentOptional} value={comment} onChange={setComment} maxLength={2000} />
      {lines.length === 0 && <p>{t.ship.nothing}</p>}
      {act.isError && <ProblemNote problem={act.error} />}
      <Buttons submit={t.ship.send} isDisabled={act.isPending || lines.length === 0} onClose={onClose} />
    </Form>
  )
}

function sentOf({ lines }: Order, changed: ReadonlyMap<string, number>) {
  return lines
    .flatMap(({ line, allocations }) =>
      allocations.map((one) => ({
        line,
        storagePointId: one.storagePointId,
        lotId: one.lotId,
        vvmStage: one.vvmStage,
        held: one.held,
        doses: changed.get(`${line} ${keyOf(one)}`) ?? one.doses,
      })),
    )
    .filter(({ doses }) => doses > 0)
}

interface LineProps {
  readonly line: Order['lines'][number]
  readonly facilityId: string
  readonly changed: ReadonlyMap<string, number>
  readonly onChange: (key: string, doses: number) => void
}

function ShipLine({ line, facilityId, changed, onChange }: LineProps) {
  const t = useMessages(shipmentMessages)
  const amount = useAmount()
  const item = useItems().get(line.itemId)
  const describe = useSpot(
    facilityId,
    line.allocations.map(({ lotId }) => lotId),
  )
  return (
    <>
      {line.allocations.map((one) => {
        const key = `${line.line} ${keyOf(one)}`
        return (
          <NumberField
            key={key}
            label={t.ship.doses(`${item?.name ?? '…'}, ${describe(one)}`)}
            value={changed.get(key) ?? one.doses}
            onChange={(doses) => onChange(key, doses)}
            maxValue={one.doses}
            hint={t.ship.of(amount(item, one.doses))}
          />
        )
      })}
    </>
  )
}

interface BoxesProps {
  readonly facilityId: string
  readonly boxes: readonly Box[]
  readonly onChange: (boxes: readonly Box[]) => void
}

const BOXES_MAX = 50

/** The cold boxes that it travels in, each with the logger that rides in it. */
function Boxes({ facilityId, boxes, onChange }: BoxesProps) {
  const t = useMessages(shipmentMessages)
  const devices = useQuery(wholeList('listDevices', { facilityId })).data?.items ?? []
  const loggers = [
    { value: '', label: t.ship.noLogger },
    ...devices
      .filter(({ disabled, isGateway }) => !disabled && !isGateway)
      .map(({ id, name }) => ({ value: id, label: name })),
  ]
  const change = (at: number, box: Partial<Box>) =>
    onChange(boxes.map((one, index) => (index === at ? { ...one, ...box } : one)))
  return (
    <fieldset className={page['group']}>
      <legend>{t.ship.boxes}</legend>
      {boxes.map((box, at) => (
        <div key={at} className={page['entry']}>
          <TextField
            label={t.ship.box}
            value={box.name}
            onChange={(name) => change(at, { name })}
            maxLength={200}
            isRequired
          />
          <Choice
            label={t.ship.logger}
            options={loggers}
            value={box.deviceId}
            onChange={(deviceId) => change(at, { deviceId })}
          />
          <div className={page['buttons']}>
            <Button kind="normal" onPress={() => onChange(boxes.filter((_, index) => index !== at))}>
              {t.ship.removeBox(box.name || t.ship.thisBox)}
            </Button>
          </div>
        </div>
      ))}
      {boxes.length < BOXES_MAX && (
        <div className={page['buttons']}>
          <Button kind="normal" onPress={() => onChange([...boxes, { name: '', deviceId: '' }])}>
            {t.ship.addBox}
          </Button>
        </div>
      )}
    </fieldset>
  )
}
