import { test, type Test } from 'tap'
import { checkOrders, openOrderWorld } from './order-world.ts'
import { onBothDatabases } from './stock-world.ts'
import type { Answer } from './world.ts'

// P4 at any concurrency: two people do the same at the same time, and it is done once.
test('orders under many hands', async (suite) => onBothDatabases(suite, raceSuite))

const HANDS = 6
const atOnce = (run: (hand: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: HANDS }, (_, hand) => run(hand)))

const onlyOne = (t: Test, answers: readonly Answer[], refusal: object) => {
  t.equal(
    answers.filter(({ status }) => status < 300).length,
    1,
    JSON.stringify(answers.map((one) => one.body['code'])),
  )
  for (const { body } of answers.filter(({ status }) => status >= 300)) t.match(body, refusal)
}

async function raceSuite(suite: Test, databaseUrl: string): Promise<void> {
  const world = await openOrderWorld(suite, databaseUrl)
  const { manager, nurse, clinicRoom, admin } = world
  await world.stock(1000)
  const step = (name: string, run: (t: Test) => Promise<void>) =>
    suite.test(name, async (t) => {
      await run(t)
      await checkOrders(t, world)
    })

  await step('approved once, sent once, received once', async (t) => {
    const id = await world.request(100)
    const take = (action: string, token: string) =>
      atOnce(() => world.post(`/v1/orders/${id}/${action}`, token, {}))
    onlyOne(t, await take('approve', manager), { code: 'order.wrongState' })
    const allocated = await take('allocate', manager)
    t.ok(
      allocated.every(({ status }) => status === 200),
      'each in place of the one before',
    )
    onlyOne(t, await take('shipments', manager), { code: 'order.wrongState' })
    const { body } = await world.get(`/v1/shipments?orderId=${id}`, nurse)
    const [shipment] = body['items'] as unknown as { id: string }[]
    const of = (action: string, token: string, said: object) =>
      atOnce(() => world.post(`/v1/shipments/${shipment?.id}/${action}`, token, said))
    onlyOne(t, await of('receive', nurse, { storagePointId: clinicRoom }), { code: 'order.received' })
    onlyOne(t, await of('reverse-receipt', nurse, {}), { code: 'order.wrongState' })
    onlyOne(t, await of('recall', manager, {}), { code: 'order.wrongState' })
  })

  await step('many orders want the same stock: nobody is promised what another has', async (t) => {
    const ids = []
    for (let hand = 0; hand < HANDS; hand++) {
      const id = await world.request(300)
      await world.do(`/v1/orders/${id}/approve`, manager)
      ids.push(id)
    }
    const answers = await Promise.all(ids.map((id) => world.post(`/v1/orders/${id}/allocate`, manager, {})))
    t.ok(answers.every(({ status }) => status === 200))
    const reserved = answers.map(
      ({ body }) =>
        (body['order']?.['lines'] as unknown as { reserved: number }[] | undefined)?.[0]?.reserved,
    )
    t.equal(
      reserved.reduce((sum: number, one) => sum + (one ?? 0), 0),
      1000,
    )
    // Beside each other: some are sent, some given up, some allocated again.
    await Promise.all(
      ids.map((id, index) =>
        [
          () => world.post(`/v1/orders/${id}/shipments`, manager, {}),
          () => world.post(`/v1/orders/${id}/cancel`, manager, { reasonCode: 'no-stock' }),
          () => world.post(`/v1/orders/${id}/allocate`, manager, {}),
        ][index % 3]?.(),
      ),
    )
  })

  await step('a recall in the middle of it leaves nothing free', async (t) => {
    const lotId = world.penta.lot
    await world.stock(500)
    const id = await world.allocated(200)
    const [recalled] = await Promise.all([
      world.post(`/v1/lots/${lotId}/recall`, admin, { reason: 'Particles seen' }),
      world.post(`/v1/orders/${id}/shipments`, manager, {}),
      ...Array.from({ length: HANDS }, () =>
        world.post('/v1/stock-events', manager, {
          kind: 'issue',
          facilityId: world.store,
          lines: [{ storagePointId: world.storeRoom, lotId, doses: 10 }],
        }),
      ),
    ])
    t.equal(recalled?.status, 200)
    const { body } = await world.get(`/v1/stock?lotId=${lotId}`, admin)
    t.ok((body['items'] as unknown as { held: boolean }[]).every(({ held }) => held))
  })
}
