import { test, type Test } from 'tap'
import { findPlacements } from '../../db/queries/placement.ts'
import { listAudit } from '../../db/queries/audit.ts'
import { listRuleChanges } from '../../db/queries/rule-change.ts'
import { EVERYWHERE } from '../../domain/rule-resolution.ts'
import { SHIPPED_RULES } from '../../domain/shipped-rules.ts'
import { onBothDatabases } from './stock-world.ts'
import { openWorld, plantTree, type Json, type Tree, type World } from './world.ts'

const HOUR_MS = 3_600_000
const NOW = Date.UTC(2026, 6, 1)
const at = (hours: number) => new Date(NOW + hours * HOUR_MS).toISOString()

const warm = {
  name: 'Warm',
  quantity: 'temperature',
  comparator: 'gt',
  threshold: 8,
  mode: 'consecutive',
  durationMs: HOUR_MS,
  severity: 'critical',
}
const cold = { ...warm, name: 'Cold', comparator: 'lt', threshold: 2 }

interface Place extends World {
  readonly tree: Tree
  /** What moves the present. */
  readonly clock: { now: () => number; at: number }
}

async function openPlace(t: Test, databaseUrl: string): Promise<Place> {
  const clock = { at: NOW, now: () => clock.at }
  const world = await openWorld(t, { databaseUrl, clock })
  return { ...world, clock, tree: await plantTree(world) }
}

const hour = (time: number | null) => (time === null ? '' : (time - NOW) / HOUR_MS)

/** Rules of its own that hold for a device, as `id from to` in hours since NOW. */
async function held({ db }: World, device: string): Promise<string[]> {
  const placement = (await findPlacements(db, [device])).get(device)
  return (placement?.rules ?? [])
    .filter(({ profile }) => profile !== EVERYWHERE)
    .map(({ id, validFrom, validTo }) => `${id} ${hour(validFrom)}..${hour(validTo)}`)
}

test('profiles', async (suite) => onBothDatabases(suite, walk))

async function walk(t: Test, databaseUrl: string): Promise<void> {
  const world = await openPlace(t, databaseUrl)
  const { tree, clock, admin } = world
  const { a, b } = tree

  await t.test('what ships holds everywhere, always, and is not changed', async (t) => {
    const { body } = await world.get('/v1/profiles/who-30dtr', admin)
    t.match(body, { id: 'who-30dtr', isShipped: true, facilityId: null })
    t.match(body['versions'], [{ version: 1, validFrom: null, validTo: null, publishedBy: null }])
    t.match(await held(world, a.device), ['who-30dtr-high ..', 'who-30dtr-low ..'])
    const answer = await world.post('/v1/profiles/who-30dtr/versions', admin, { rules: [warm] })
    t.match(answer, { status: 409, body: { code: 'profile.shipped' } })
  })

  await t.test('what is for all equipment holds beside it, and can be overridden too', async (t) => {
    const everywhere = SHIPPED_RULES.filter(({ profile }) => profile === EVERYWHERE).map(({ id }) => id)
    const ids = async () =>
      ((await findPlacements(world.db, [a.device])).get(a.device)?.rules ?? []).map(({ id }) => id)
    t.ok(everywhere.length > 0)
    t.same(await ids(), [...everywhere, 'who-30dtr-high', 'who-30dtr-low'].toSorted())
    const quiet = {
      id: 'quiet',
      name: 'No power here',
      rules: [{ ...warm, quantity: 'humidity', threshold: 90 }],
    }
    t.match(await world.post('/v1/profiles', admin, quiet), {
      status: 201,
      body: { versions: [{ publishedByName: 'Administrator' }] },
    })
    const body = { facilityId: a.facility, profile: EVERYWHERE, replacement: 'quiet', from: null }
    t.equal((await world.post('/v1/profile-overrides', admin, body)).status, 200)
    t.same(await ids(), ['quiet.1.1', 'who-30dtr-high', 'who-30dtr-low'])
    t.equal((await world.post('/v1/profile-overrides', admin, { ...body, replacement: null })).status, 200)
    t.same(await ids(), [...everywhere, 'who-30dtr-high', 'who-30dtr-low'].toSorted())
  })

  await t.test('versions follow each other in event time; what does not change stays', async (t) => {
    const made = await world.post('/v1/profiles', admin, { id: 'own', name: 'Own', rules: [warm, cold] })
    t.equal(made.status, 201)
    t.match(made.body['versions'], [
      { version: 1, validFrom: null, rules: [{ id: 'own.1.1' }, { id: 'own.1.2' }] },
    ])
    await world.patch(`/v1/equipment/${a.equipment}`, admin, { profile: 'own', profileFrom: null })
    t.same(await held(world, a.device), ['own.1.1 ..', 'own.1.2 ..'])

    clock.at = NOW + HOUR_MS
    const next = { rules: [{ ...warm, threshold: 9 }, cold], comment: 'Too many alarms' }
    const published = await world.post('/v1/profiles/own/versions', admin, next, 'key-1')
    t.equal(published.status, 201)
    t.match(published.body['versions'], [
      {
        version: 2,
        validFrom: at(1),
        comment: 'Too many alarms',
        rules: [{ id: 'own.1.2' }, { id: 'own.2.1', threshold: 9 }],
      },
      { version: 1 },
    ])
    t.same(await held(world, a.device), ['own.1.1 ..1', 'own.1.2 ..', 'own.2.1 1..'])
    // Twice is once.
    t.same((await world.post('/v1/profiles/own/versions', admin, next, 'key-1')).body, published.body)

    // For one hour only; then the one before holds again.
    const brief = { rules: [{ ...warm, threshold: 10 }, cold], validFrom: at(2), validTo: at(3) }
    t.equal((await world.post('/v1/profiles/own/versions', admin, brief)).status, 201)
    t.same(await held(world, a.device), [
      'own.1.1 ..1',
      'own.1.2 ..',
      'own.2.1 1..2',
      'own.2.1 3..',
      'own.3.1 2..3',
    ])
  })

  await t.test('equipment has had profiles in time', async (t) => {
    const url = `/v1/equipment/${b.equipment}`
    clock.at = NOW + 10 * HOUR_MS
    t.equal((await world.patch(url, admin, { profile: 'own', profileFrom: at(5) })).status, 200)
    const expected = ['own.1.2 5..', 'own.2.1 5..', 'who-30dtr-high ..5', 'who-30dtr-low ..5']
    t.same(await held(world, b.device), expected)
    const { body } = await world.get(`${url}/rules`, admin)
    const items = body['items'] as unknown as Json[]
    t.match(
      items.filter(({ profile }) => String(profile) !== EVERYWHERE),
      [{ id: 'own.1.2', validFrom: at(5), validTo: null }, {}, { id: 'who-30dtr-high', validTo: at(5) }, {}],
    )
    // Back again: it was away for two hours.
    t.equal((await world.patch(url, admin, { profile: 'who-30dtr', profileFrom: at(7) })).status, 200)
    t.same(await held(world, b.device), [
      'own.1.2 5..7',
      'own.2.1 5..7',
      'who-30dtr-high ..5',
      'who-30dtr-high 7..',
      'who-30dtr-low ..5',
      'who-30dtr-low 7..',
    ])
    // It was a mistake from the beginning.
    t.equal((await world.patch(url, admin, { profile: 'who-30dtr', profileFrom: at(5) })).status, 200)
    t.same(await held(world, b.device), ['who-30dtr-high ..', 'who-30dtr-low ..'])
    t.match(await world.patch(url, admin, { profile: 'own', profileFrom: at(11) }), { status: 400 })
    t.match(await world.patch(url, admin, { profile: 'everywhere' }), { status: 400 })
    t.match(await world.patch(url, admin, { profileFrom: at(1) }), { status: 400 })
    const trail = await listAudit(world.db, 'equipment', b.equipment)
    t.equal(trail.filter(({ action }) => action === 'equipment.profileAssigned').length, 3)
  })

  await t.test('the nearest override up the tree holds', async (t) => {
    const own = { id: 'hot', name: 'Hot', facilityId: b.district, rules: [{ ...warm, threshold: 12 }] }
    t.equal((await world.post('/v1/profiles', admin, own)).status, 201)
    const said = async (facilityId: string, replacement: string | null, from: string | null) => {
      const body = { facilityId, profile: 'who-30dtr', replacement, from }
      t.match(await world.post('/v1/profile-overrides', admin, body), {
        status: 200,
        body: { replacement, from },
      })
    }
    await said(tree.country, 'own', at(1))
    t.same(await held(world, b.device), [
      'own.1.2 1..',
      'own.2.1 1..2',
      'own.2.1 3..',
      'own.3.1 2..3',
      'who-30dtr-high ..1',
      'who-30dtr-low ..1',
    ])
    await said(b.district, 'hot', null)
    t.same(await held(world, b.device), ['hot.1.1 ..'])
    await said(b.district, null, at(4))
    t.same(await held(world, b.device), ['hot.1.1 ..4', 'own.1.2 4..', 'own.2.1 4..'])
    await said(b.facility, 'hot', at(6))
    t.same(await held(world, b.device), ['hot.1.1 ..4', 'hot.1.1 6..', 'own.1.2 4..6', 'own.2.1 4..6'])
    // All together, in one go.
    t.equal((await findPlacements(world.db, [a.device, b.device])).size, 2)

    const { body } = await world.get(`/v1/profile-overrides?facilityId=${b.district}&limit=1`, admin)
    const named = { facilityName: String, setByName: 'Administrator' }
    t.match(body, { items: [{ facilityId: b.district, replacement: 'hot', from: null, ...named }] })
    const rest = await world.get(
      `/v1/profile-overrides?facilityId=${b.district}&cursor=${String(body['nextCursor'])}`,
      admin,
    )
    t.match(rest.body['items'], [{ replacement: null, from: at(4) }, { facilityId: b.facility }])
    t.match(await listAudit(world.db, 'facility', b.district), [
      {},
      { action: 'profile.overridden' },
      { action: 'profile.overridden' },
    ])
  })

  await t.test('a profile is used and seen where it belongs', async (t) => {
    const hot = { facilityId: a.facility, profile: 'who-30dtr', replacement: 'hot' }
    t.match(await world.post('/v1/profile-overrides', admin, hot), {
      status: 400,
      body: { errors: [{ path: '/body/replacement' }] },
    })
    const move = { facilityId: b.facility, profile: 'hot' }
    t.equal((await world.patch(`/v1/equipment/${b.equipment}`, admin, move)).status, 200)
    t.match(await world.patch(`/v1/equipment/${b.equipment}`, admin, { facilityId: a.facility }), {
      status: 400,
    })
    const manager = await world.person('a-manager', 'manager', a.district)
    const below = await world.person('b-viewer', 'viewer', b.facility)
    const codes = async (token: string) =>
      ((await world.get('/v1/profiles', token)).body['items'] as unknown as { id: string }[]).map(
        ({ id }) => id,
      )
    t.notOk((await codes(manager)).includes('hot'))
    t.ok((await codes(below)).includes('hot'))
    t.equal((await world.get('/v1/profiles/hot', manager)).status, 404)
    t.equal((await world.get('/v1/profiles/hot', below)).status, 200)
    t.same((await world.get('/v1/rules?profile=hot', manager)).body['items'], [])
    const version = { rules: [warm] }
    t.equal((await world.post('/v1/profiles/own/versions', manager, version)).status, 403)
    t.equal((await world.post('/v1/profiles/hot/versions', manager, version)).status, 404)
    const theirs = await world.person('b-manager', 'manager', b.facility)
    t.equal((await world.post('/v1/profiles/hot/versions', theirs, version)).status, 403)
    t.equal((await world.post('/v1/profiles', manager, { id: 'mine', name: 'N', rules: [warm] })).status, 403)
    const mine = { id: 'mine', name: 'N', facilityId: a.facility, rules: [warm] }
    t.equal((await world.post('/v1/profiles', manager, mine)).status, 201)
    t.match(await world.post('/v1/profiles', manager, mine), {
      status: 409,
      body: { code: 'resource.conflict' },
    })
  })

  await t.test('rules that cannot be are refused, each for what it is', async (t) => {
    const rules = [warm, { ...warm, threshold: 100 }, { ...cold, threshold: 8.1 }]
    const body = { id: 'wrong', name: 'Wrong', rules, validFrom: at(1), validTo: at(1) }
    t.match(await world.post('/v1/profiles', admin, body), {
      status: 422,
      body: {
        code: 'rule.neverViolated',
        errors: [
          { path: '/body/rules/1/threshold', code: 'rule.neverViolated' },
          { path: '/body/rules/2/threshold', code: 'rule.contradictory' },
          { path: '/body/validTo', code: 'profile.validityEmpty' },
        ],
      },
    })
    const headers = { 'accept-language': 'id' }
    const inIndonesian = await world.ask('POST', '/v1/profiles', { token: admin, body, headers })
    t.match(inIndonesian.body['errors'], [{ message: /^Tidak ada nilai wajar/ }, {}, {}])
    t.match(await world.post('/v1/profiles', admin, { id: 'no', name: 'N', rules: [] }), { status: 400 })
    t.match(await world.post('/v1/profiles', admin, { id: 'a.b', name: 'N', rules: [warm] }), { status: 400 })
  })

  await t.test('what changed is kept for the judge, with what it reaches', async (t) => {
    const changes = await listRuleChanges(world.db, 100)
    t.ok(changes.some(({ from, reaches }) => from === 0 && JSON.stringify(reaches).includes(a.equipment)))
    t.ok(
      changes.some(
        ({ from, reaches }) => from === NOW + HOUR_MS && JSON.stringify(reaches).includes('"own"'),
      ),
    )
  })
}

test('whoever remembers rules is told', async (t) => {
  const world = await openPlace(t, 'sqlite::memory:')
  const { a, b, country } = world.tree
  const told: string[] = []
  world.cache.subscribe('registry', ({ deviceId }) => void told.push(deviceId))
  const heard = () => told.splice(0).toSorted()
  await world.post('/v1/profiles', world.admin, { id: 'own', name: 'Own', rules: [warm] })
  t.same(heard(), [])
  await world.patch(`/v1/equipment/${a.equipment}`, world.admin, { profile: 'own' })
  t.same(heard(), [a.device])
  await world.post('/v1/profiles/own/versions', world.admin, { rules: [cold] })
  t.same(heard(), [a.device])
  // Of what it was before, too.
  const body = { facilityId: country, profile: 'who-30dtr', replacement: 'own' }
  await world.post('/v1/profile-overrides', world.admin, body)
  t.same(heard(), [a.device, b.device].toSorted())
  await world.post('/v1/profiles/own/versions', world.admin, { rules: [warm] })
  t.same(heard(), [a.device, b.device].toSorted())
  await world.post('/v1/profile-overrides', world.admin, { ...body, facilityId: b.district })
  t.same(heard(), [b.device])
  await world.patch(`/v1/facilities/${b.facility}`, world.admin, { timeZone: 'Asia/Makassar' })
  t.same(heard(), [b.device])
})
