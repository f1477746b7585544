import { test } from 'tap'
import { findDeviceByToken } from '../../db/queries/device.ts'
import { listAudit } from '../../db/queries/audit.ts'
import { latestKey } from '../../ports/cache.ts'
import { waitFor } from '../wait-for.ts'
import { openWorld, plantTree } from './world.ts'

test('the registry: facilities, storage points, equipment, devices', async (suite) => {
  const world = await openWorld(suite)
  const { get, post, patch, admin } = world
  const tree = await plantTree(world)
  const { a, b } = tree
  const heard: string[] = []
  world.cache.subscribe('registry', ({ deviceId }) => void heard.push(deviceId))

  await suite.test('a facility shows what it was given', async (t) => {
    const { status, body } = await get(`/v1/facilities/${a.facility}`, admin)
    t.equal(status, 200)
    t.match(body, { id: a.facility, name: 'Clinic A', level: 'facility', parentId: a.district })
    t.match(body, { timeZone: 'Asia/Jakarta', createdAt: /^\d{4}-\d\d-\d\dT.*Z$/ })
    const list = await get(`/v1/facilities?facilityId=${a.district}`, admin)
    t.same((list.body['items'] as unknown as { name: string }[]).map((item) => item.name).toSorted(), [
      'Clinic A',
      'District A',
    ])
    t.equal(list.body['nextCursor'], null)
    const roots = await get('/v1/facilities?roots=true', admin)
    t.same(
      (roots.body['items'] as unknown as { id: string }[]).map(({ id }) => id),
      [tree.country],
    )
  })

  await suite.test('a facility has a GLN, or gets one', async (t) => {
    const url = `/v1/facilities/${a.facility}`
    t.equal((await get(url, admin)).body['gln'], null)
    const wrong = await patch(url, admin, { gln: '4012345000008' })
    t.match(wrong, { status: 400, body: { code: 'request.invalid', errors: [{ path: '/body/gln' }] } })
    t.match(await patch(url, admin, { gln: '4012345000009' }), {
      status: 200,
      body: { gln: '4012345000009' },
    })
    const taken = await patch(`/v1/facilities/${b.facility}`, admin, { gln: '4012345000009' })
    t.match(taken, { status: 409, body: { code: 'resource.conflict' } })
    t.match(await patch(url, admin, { gln: null }), { status: 200, body: { gln: null } })
  })

  await suite.test('levels go down, and only administrators make roots', async (t) => {
    const facility = { name: 'X', timeZone: 'UTC' }
    const under = (level: string, parentId: string | null, token = admin) =>
      post('/v1/facilities', token, { ...facility, level, parentId })
    t.match(await under('district', a.facility), { status: 409, body: { code: 'resource.conflict' } })
    t.match(await under('district', a.district), { status: 409 })
    t.match(await under('facility', null), { status: 201 }, 'a hospital alone needs no country')
    const manager = await world.person('manager-a', 'manager', a.district)
    t.match(await under('facility', null, manager), { status: 403, body: { code: 'auth.forbidden' } })
    t.match(await under('facility', b.district, manager), { status: 404 })
    t.match(await under('facility', a.district, manager), { status: 201 })
    t.match(await patch(`/v1/facilities/${a.district}`, manager, { parentId: null }), { status: 403 })
    t.match(await patch(`/v1/facilities/${a.facility}`, manager, { parentId: b.district }), { status: 404 })
  })

  await suite.test('time zones are those of the IANA database', async (t) => {
    for (const timeZone of ['Mars/Olympus', '+07:00', 'UTC; DROP TABLE facility', '']) {
      const { status, body } = await post('/v1/facilities', admin, { name: 'X', level: 'country', timeZone })
      t.equal(status, 400, timeZone)
      t.equal(body['code'], 'request.invalid')
    }
  })

  await suite.test(
    'equipment belongs to a facility, a storage point of it, and a profile with rules',
    async (t) => {
      const fridge = { name: 'F', kind: 'refrigerator', profile: 'who-30dtr', facilityId: a.facility }
      t.match(await post('/v1/equipment', admin, { ...fridge, profile: 'none' }), {
        status: 400,
        body: { detail: /who-30dtr/ },
      })
      t.match(await post('/v1/equipment', admin, { ...fridge, kind: 'oven' }), { status: 400 })
      t.match(await post('/v1/equipment', admin, { ...fridge, storagePointId: b.storagePoint }), {
        status: 404,
      })
      t.match(await post('/v1/equipment', admin, { ...fridge, storagePointId: a.storagePoint }), {
        status: 201,
      })
      t.match(await post('/v1/storage-points', admin, { facilityId: a.facility, name: 'Vaccine room' }), {
        status: 409,
      })

      heard.length = 0
      const moved = await patch(`/v1/equipment/${a.equipment}`, admin, { facilityId: b.facility })
      t.match(moved, { status: 200, body: { facilityId: b.facility, storagePointId: null } })
      t.same(heard, [a.device], 'whoever remembers the place of its devices is told')
      await patch(`/v1/equipment/${a.equipment}`, admin, {
        facilityId: a.facility,
        storagePointId: a.storagePoint,
      })
      const actions = (await listAudit(world.db, 'equipment', a.equipment)).map((row) => row.action)
      t.same(actions, ['equipment.created', 'equipment.changed', 'equipment.changed'])
    },
  )

  await suite.test('a device token is shown once, kept as a hash, and ends when it is rotated', async (t) => {
    t.match(a.deviceToken, /^csd_[\w-]{43}$/)
    t.equal((await findDeviceByToken(world.db, a.deviceToken))?.id, a.device)
    t.notMatch(JSON.stringify(await world.db.selectFrom('device').selectAll().execute()), /csd_/)
    t.notMatch(JSON.stringify((await get(`/v1/devices/${a.device}`, admin)).body), /csd_|tokenHash/)
    heard.length = 0
    const { status, body } = await post(`/v1/devices/${a.device}/token`, admin, undefined)
    t.equal(status, 201)
    t.equal(await findDeviceByToken(world.db, a.deviceToken), undefined)
    t.equal((await findDeviceByToken(world.db, String(body['accessToken'])))?.id, a.device)
    t.same(heard, [a.device])
    t.notMatch(JSON.stringify(await world.db.selectFrom('audit').selectAll().execute()), /csd_/)
  })

  await suite.test('a device can be moved, disabled and enabled', async (t) => {
    const url = `/v1/devices/${b.device}`
    t.match(await patch(url, admin, { disabled: true, name: 'Old' }), {
      status: 200,
      body: { disabled: true, name: 'Old' },
    })
    t.match(await post(`${url}/commands`, admin, { method: 'reboot' }), { status: 409 })
    t.match(await patch(url, admin, { disabled: false, equipmentId: a.equipment }), {
      body: { disabled: false, facilityId: a.facility },
    })
    t.match(await patch(url, admin, { equipmentId: b.equipment }), { body: { facilityId: b.facility } })
    t.match(await patch(url, admin, {}), { status: 400 }, 'a change changes something')
  })

  await suite.test('a command goes down', async (t) => {
    const command = { method: 'setInterval', params: { seconds: 60 } }
    const { status, body } = await post(`/v1/devices/${a.device}/commands`, admin, command)
    t.equal(status, 202)
    t.match(body, { deviceId: a.device, method: 'setInterval' })
    t.same(world.commands, [{ deviceId: a.device, command }])
    const huge = { method: 'x', params: 'x'.repeat(20_000) }
    t.match(await post(`/v1/devices/${a.device}/commands`, admin, huge), { status: 413 })
  })

  await suite.test('devices are listed by place, with their newest readings on request', async (t) => {
    await world.series.write([
      { deviceId: a.device, sensor: 'main', time: 1_732_233_600_000, values: { temperature: 4.2 } },
    ])
    await world.cache.delete(latestKey(a.device))
    const list = await get(`/v1/devices?facilityId=${a.district}&latest=true`, admin)
    t.match(list.body['items'], [
      {
        id: a.device,
        facilityId: a.facility,
        latest: [{ sensor: 'main', time: '2024-11-22T00:00:00.000Z', values: { temperature: 4.2 } }],
      },
    ])
    const none = await get(`/v1/devices?equipmentId=${b.equipment}`, admin)
    t.match(none.body['items'], [{ id: b.device }])
    t.notOk(JSON.stringify(none.body).includes('latest'))
    const named = await get('/v1/devices?q=FRIDGE%20a', admin)
    t.match(named.body['items'], [{ id: a.device, equipmentName: 'Fridge A', facilityName: 'Clinic A' }])
    t.same((await get('/v1/devices?unplaced=true', admin)).body['items'], [])
    await world.db.updateTable('device').set({ equipmentId: null }).where('id', '=', b.device).execute()
    t.match((await get('/v1/devices?unplaced=true', admin)).body['items'], [{ id: b.device }])
    await world.db
      .updateTable('device')
      .set({ equipmentId: b.equipment })
      .where('id', '=', b.device)
      .execute()
  })

  await suite.test('the newest readings are remembered until there are newer ones', async () => {
    for (const temperature of [5.1, 5.2, 5.3]) {
      const payload = Buffer.from(JSON.stringify({ temperature }))
      await world.ingest.intake.accept({
        deviceId: b.device,
        isGateway: false,
        topic: 'v1/devices/me/telemetry',
        payload,
        receivedAt: Date.now(),
      })
      await waitFor(async () => {
        const { body } = await get(`/v1/devices/${b.device}`, admin)
        return Number(body['latest']?.['0']?.['values']?.['temperature']) === temperature
      }, `${temperature} °C`)
    }
  })

  await suite.test('rules and profiles', async (t) => {
    t.match((await get('/v1/rules?profile=who-30dtr', admin)).body, {
      items: [
        { id: 'who-30dtr-high', threshold: 8, comparator: 'gt', durationMs: 36_000_000 },
        { id: 'who-30dtr-low', threshold: -0.5, comparator: 'lte' },
      ],
    })
    t.match(JSON.stringify((await get('/v1/profiles', admin)).body), '"id":"who-30dtr"')
  })
})
