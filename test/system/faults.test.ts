import { test } from 'tap'
import { endure } from '../faults/endure.ts'
import { FAULTS } from '../faults/faults.ts'
import { hasDistributed, startDistributed } from '../services/deployment.ts'
import { skipWithout } from '../services/required.ts'

// The short form of `npm run faults`: two processes of each part on real servers, a light load, and the fault that touches the most.
const LOAD = { devices: 20, readingsPerSecond: 400, beforeMs: 3000, afterMs: 5000 }
const LASTS_MS = 4000
const NAMES = ['kill-one-of-each']
const skip = skipWithout('MariaDB, RabbitMQ, Redis or VictoriaMetrics', hasDistributed)

test('faults are endured', { skip, timeout: 230_000 }, async (t) => {
  const deployment = await startDistributed({ NOTIFY_AGE_MS_MAX: '1' }, { copies: 2, relayed: true })
  t.teardown(() => deployment.stop())
  for (const fault of FAULTS.filter(({ name }) => NAMES.includes(name))) {
    const { measured, acknowledged, readings, breaches, parked } = await endure(
      deployment,
      { ...fault, lastsMs: LASTS_MS },
      LOAD,
    )
    t.equal(acknowledged, measured, `${fault.name}: all is acknowledged in the end`)
    const { stored, lost, doubled, altered } = readings
    t.same({ stored, lost, doubled, altered }, { stored: measured, lost: 0, doubled: 0, altered: 0 })
    t.ok(breaches.expected > 0, 'there are breaches')
    t.match(breaches, { missing: 0, unexpected: 0 }, 'the breaches are as if nothing had happened')
    t.equal(parked, 0, 'nothing waits for a person')
  }
})
