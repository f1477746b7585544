import { test } from 'tap'
import type { Db } from '../../db/schema.ts'
import { addDevice, NOW, openWorld, packet } from './world.ts'

const GATEWAY = { topic: 'v1/gateway/telemetry', isGateway: true }

function childrenOf(db: Db, gatewayId: string) {
  return db.selectFrom('device').selectAll().where('gatewayId', '=', gatewayId).orderBy('name').execute()
}

test('a name behind a gateway becomes a device at its first reading, once', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const gateway = await addDevice(world.db, { isGateway: 1 })
  const body = { 'Device A': [{ ts: NOW, values: { t: 4 } }], 'Device B': [{ ts: NOW, values: { t: 5 } }] }
  for (let i = 0; i < 3; i++)
    t.same(await intake.accept(packet(gateway, body, GATEWAY)), { readings: 2, refused: [] })
  const [a, b, ...others] = await childrenOf(world.db, gateway)
  t.match(a, { name: 'Device A', isGateway: 0, equipmentId: null, tokenHash: null, createdAt: NOW })
  t.same(others, [])
  await world.stored()
  t.equal((await world.readings(a?.id ?? ''))[0]?.values.temperature, 4)
  t.equal((await world.readings(b?.id ?? ''))[0]?.values.temperature, 5)
})

test('two workers that see a name at the same time make one device', async (t) => {
  const world = await openWorld(t)
  const workers = [await world.ingest(), await world.ingest(), await world.ingest()]
  const gateway = await addDevice(world.db, { isGateway: 1 })
  for (let round = 0; round < 5; round++) {
    const names = Array.from({ length: 20 }, (_, i) => `${round}-${i}`)
    const body = Object.fromEntries(names.map((name) => [name, [{ t: 4 }]]))
    const taken = workers.map(({ intake }, i) =>
      // Each also knows a name that the others do not, so that they are not the same statement.
      intake.accept(packet(gateway, { [`${round} of ${i}`]: [{ t: 4 }], ...body }, GATEWAY)),
    )
    for (const outcome of await Promise.all(taken)) t.same(outcome, { readings: 21, refused: [] })
  }
  t.equal((await childrenOf(world.db, gateway)).length, 5 * 23)
})

test('beyond the limit of names the others are still served', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest({ settings: { childrenPerGatewayMax: 2 } })
  const gateway = await addDevice(world.db, { isGateway: 1 })
  const body = { a: [{ t: 1 }], b: [{ t: 2 }], c: [{ t: 3 }] }
  for (let i = 0; i < 2; i++)
    t.same(await intake.accept(packet(gateway, body, GATEWAY)), {
      readings: 2,
      refused: [{ code: 'packet.tooManyDevices', detail: '"c"' }],
    })
  t.equal((await childrenOf(world.db, gateway)).length, 2)
})

test('a disabled device behind a gateway is refused as soon as the registry says so', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const gateway = await addDevice(world.db, { isGateway: 1 })
  await intake.accept(packet(gateway, { a: [{ t: 1 }] }, GATEWAY))
  const [child] = await childrenOf(world.db, gateway)
  await world.db.updateTable('device').set({ disabledAt: NOW }).where('gatewayId', '=', gateway).execute()
  world.cache.publish('registry', { deviceId: child?.id ?? '' })
  t.same(await intake.accept(packet(gateway, { a: [{ t: 1 }] }, GATEWAY)), {
    readings: 0,
    refused: [{ code: 'reading.deviceDisabled', detail: '"a"' }],
  })
})

test('names like __proto__ are names', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const gateway = await addDevice(world.db, { isGateway: 1 })
  const body = '{"__proto__":[{"t":1}],"constructor":[{"t":2}]}'
  t.equal((await intake.accept(packet(gateway, body, GATEWAY))).readings, 2)
  t.same(
    (await childrenOf(world.db, gateway)).map(({ name }) => name),
    ['__proto__', 'constructor'],
  )
})

test('while the database is down packets with new names are rejected, so that the gateway sends them again', async (t) => {
  const world = await openWorld(t)
  const { intake } = await world.ingest()
  const gateway = await addDevice(world.db, { isGateway: 1 })
  await intake.accept(packet(gateway, { known: [{ t: 1 }] }, GATEWAY))
  await world.db.destroy()
  await t.rejects(intake.accept(packet(gateway, { other: [{ t: 1 }] }, GATEWAY)))
  t.equal((await intake.accept(packet(gateway, { known: [{ t: 1 }] }, GATEWAY))).readings, 1)
})
