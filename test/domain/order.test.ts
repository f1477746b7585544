import { test, type Test } from 'tap'
import { CodedError } from '../../domain/errors.ts'
import {
  decideOrder,
  ORDER_STATUSES,
  waitsFor,
  type OrderCommand,
  type OrderFacts,
  type OrderKind,
  type OrderState,
  type Side,
} from '../../domain/order.ts'

const reasons = new Map([['no-stock', 'cancellation' as const]])
const as = (kind: OrderKind, ...sides: Side[]): OrderFacts => ({ kind, sides: new Set(sides), reasons })
const requester = as('request', 'receiver')
const supplier = as('request', 'sender')

const doses = (...all: number[]) => new Map(all.map((one, index) => [index + 1, one]))
const asked = (status: 'draft' | 'submitted', ...all: number[]): OrderState => ({
  status,
  lines: all.map((one, index) => ({ line: index + 1, itemId: `item-${index + 1}`, doses: one })),
})

/** given an order, when it takes steps, then this is what became of it. */
function when(given: OrderState, ...steps: (readonly [OrderCommand, OrderFacts])[]): OrderState {
  return steps.reduce((order, [command, facts]) => decideOrder(order, command, facts), given)
}
function refuses(t: Test, code: string, run: () => unknown): void {
  try {
    run()
    t.fail(`${code} was expected`)
  } catch (error) {
    t.equal(error instanceof CodedError ? error.code : String(error), code)
  }
}

const submit = [{ kind: 'submit' }, requester] as const
const approve = [{ kind: 'approve', lines: [] }, supplier] as const
const allocate = (...all: number[]) => [{ kind: 'allocate', doses: doses(...all) }, supplier] as const
const ship = (...all: number[]) => [{ kind: 'ship', doses: doses(...all) }, supplier] as const
const receive = (...all: number[]) => [{ kind: 'receive', doses: doses(...all) }, requester] as const
const close = [{ kind: 'close' }, supplier] as const

test('a request is asked by one side and answered by the other', async (t) => {
  t.match(when(asked('draft', 100), submit), { status: 'submitted' })
  refuses(t, 'order.wrongSide', () => when(asked('draft', 100), [{ kind: 'submit' }, supplier]))
  refuses(t, 'order.wrongSide', () => when(asked('submitted', 100), [approve[0], requester]))
  t.match(when(asked('submitted', 100), approve), {
    status: 'approved',
    lines: [{ approved: 100, reserved: 0 }],
  })
})

test('a push is decided by who pushes; a return by who takes it back', async (t) => {
  t.match(when(asked('draft', 100), [{ kind: 'submit' }, as('allocation', 'sender')]), {
    status: 'approved',
    lines: [{ approved: 100 }],
  })
  refuses(t, 'order.wrongSide', () =>
    when(asked('draft', 9), [{ kind: 'submit' }, as('allocation', 'receiver')]),
  )
  refuses(t, 'order.wrongSide', () => when(asked('submitted', 9), [approve[0], as('return', 'sender')]))
  t.match(when(asked('submitted', 9), [approve[0], as('return', 'receiver')]), { status: 'approved' })
})

const part = (line: number, of: number, reasonCode?: string) =>
  when(asked('submitted', 100, 50), [{ kind: 'approve', lines: [{ line, doses: of, reasonCode }] }, supplier])

test('approved in part, with a reason', async (t) => {
  t.match(part(2, 0, 'no-stock'), { lines: [{ approved: 100 }, { approved: 0, reasonCode: 'no-stock' }] })
  refuses(t, 'stock.reasonRequired', () => part(2, 10))
  refuses(t, 'stock.reasonRequired', () => part(2, 10, 'broken'))
  refuses(t, 'order.quantity', () => part(2, 51))
  refuses(t, 'order.unknownLine', () => part(3, 1))
  refuses(t, 'order.quantity', () =>
    when(asked('submitted', 5), [
      { kind: 'approve', lines: [{ line: 1, doses: 0, reasonCode: 'no-stock' }] },
      supplier,
    ]),
  )
})

test('one order, several shipments', async (t) => {
  const first = when(
    asked('draft', 100),
    submit,
    approve,
    allocate(60),
    [{ kind: 'pick' }, supplier],
    ship(60),
  )
  t.match(first, { status: 'shipped', lines: [{ reserved: 0, shipped: 60, settled: 0 }] })
  t.equal(waitsFor(first, 'request'), 'receiver')
  const arrived = when(first, receive(60))
  t.match(arrived, { status: 'shipped', lines: [{ settled: 60 }] })
  t.equal(waitsFor(arrived, 'request'), 'sender')
  const second = when(arrived, allocate(40), ship(40), receive(40))
  t.match(second, { status: 'received' })
  t.match(when(second, close), { status: 'closed' })
  t.match(when(arrived, close), { status: 'closed' }, 'what was not sent will not be')
})

test('never more than the step before', async (t) => {
  const approved = when(asked('draft', 100), submit, approve)
  refuses(t, 'order.quantity', () => when(approved, allocate(101)))
  refuses(t, 'order.quantity', () => when(approved, allocate(50), ship(51)))
  const sent = when(approved, allocate(50), ship(50))
  refuses(t, 'order.quantity', () => when(sent, receive(51)))
  refuses(t, 'order.quantity', () => when(sent, allocate(51)))
  refuses(t, 'order.wrongState', () => when(sent, close))
})

test('a shipment comes back, a receipt is taken back', async (t) => {
  const sent = when(asked('draft', 100), submit, approve, allocate(100), ship(100))
  t.match(when(sent, [{ kind: 'recall', doses: doses(100) }, supplier]), {
    status: 'approved',
    lines: [{ shipped: 0 }],
  })
  const received = when(sent, receive(100))
  t.equal(received.status, 'received')
  const undone = when(received, [{ kind: 'reverseReceipt', doses: doses(100) }, requester])
  t.match(undone, { status: 'shipped', lines: [{ shipped: 100, settled: 0 }] })
  t.match(when(undone, receive(100)), { status: 'received' })
})

test('cancelled by its asker until it is decided, then by either side until it is shipped', async (t) => {
  const cancel = { kind: 'cancel', reasonCode: 'no-stock' } as const
  refuses(t, 'order.wrongSide', () => when(asked('submitted', 1), [cancel, supplier]))
  t.match(when(asked('submitted', 1), [cancel, requester]), { status: 'cancelled' })
  const allocated = when(asked('submitted', 1), approve, allocate(1))
  for (const side of [requester, supplier]) t.match(when(allocated, [cancel, side]), { status: 'cancelled' })
  refuses(t, 'order.wrongState', () => when(allocated, ship(1), [cancel, supplier]))
})

test('what is over stays over', async (t) => {
  const commands: OrderCommand[] = [
    ...(['submit', 'pick', 'close'] as const).map((kind) => ({ kind })),
    ...(['reject', 'cancel'] as const).map((kind) => ({ kind, reasonCode: 'no-stock' })),
    ...(['allocate', 'ship', 'recall', 'receive', 'reverseReceipt'] as const).map((kind) => ({
      kind,
      doses: doses(0),
    })),
    { kind: 'approve', lines: [] },
  ]
  const line = { line: 1, itemId: 'i', doses: 1, approved: 1, reserved: 0, shipped: 0, settled: 0 }
  for (const status of ['rejected', 'cancelled', 'closed'] as const) {
    t.equal(waitsFor({ status, lines: [line] }, 'request'), undefined)
    for (const command of commands)
      refuses(t, 'order.wrongState', () =>
        when({ status, lines: [line] }, [command, as('request', 'sender', 'receiver')]),
      )
  }
  t.equal(ORDER_STATUSES.length, 10)
})
