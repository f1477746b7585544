import { test } from 'tap'
import { openDb } from '../../db/open.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { skipWithout } from '../services/required.ts'
import { createWatchWorld, HOUR, MINUTE, oneFacility, speak } from './watch-world.ts'

test(
  'MariaDB: two watchers with a connection each, an outage and one that stays',
  { skip: skipWithout('MariaDB', hasMariadb) },
  async (t) => {
    const server = await startMariadb()
    t.teardown(() => server.stop())
    const world = await createWatchWorld(t, { url: server.url })
    const own = await openDb(server.url)
    t.teardown(() => own.destroy())
    world.world.watches = [world.open(), world.open(own)]
    const { devices, facility } = await oneFacility(world, 6)
    const last = world.clock.at
    await speak(world, [], HOUR)
    t.match(await world.breaches('site-outage'), [
      { state: 'open', facilityId: facility.id, startAt: last, peak: 6 },
    ])
    await speak(world, devices.slice(1), 20 * MINUTE)
    t.match(await world.breaches('site-outage'), [{ state: 'ended' }])
    const silences = await world.breaches('silence')
    t.equal(silences.length, 6)
    t.match(
      silences.filter(({ state }) => state === 'open'),
      [{ deviceId: devices[0], outageId: null }],
    )
    const told = world.mails.map(({ to, step }) => `${to.split('@')[0]} ${step}`).toSorted()
    t.same(told, ['chief opened', 'chief recovered', 'nurse opened', 'nurse opened', 'nurse recovered'])
  },
)
