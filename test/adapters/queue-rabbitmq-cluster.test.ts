import { setTimeout as sleep } from 'node:timers/promises'
import { test, type Test } from 'tap'
import type { Queue } from '../../ports/queue.ts'
import { hasRabbitmq, startRabbitmqCluster } from '../services/rabbitmq.ts'
import { skipWithout } from '../services/required.ts'
import { waitFor } from '../wait-for.ts'
import { firsts, follow, more, open, startLoad, sweepOf } from './queue-rabbitmq-world.ts'

const skip = skipWithout('RabbitMQ', hasRabbitmq)
const skipLong = process.env.FAULTS === '1' ? skip : 'set FAULTS=1 for all faults of three nodes'

/** Three nodes under load, from one process to another. INTAKE_WAIT_MS is 30 s, so that nothing may be refused before. */
async function startCluster(t: Test) {
  const cluster = await startRabbitmqCluster(3)
  t.teardown(() => cluster.stop())
  const limits = { publishTimeoutMs: 30_000, partitions: 8 }
  const opening = { url: cluster.url, prefix: 'cluster', limits }
  const [one, two] = [await open(t, opening), await open(t, opening)]
  const load = startLoad(t, one, two)
  const order = startOrder(t, one, two)
  await more(load)
  return { cluster, load, order }
}

/** Readings in order, of ten devices, for as long as it lasts. */
function startOrder(t: Test, queue: Queue, consumers: Queue) {
  const times = new Map<string, number[]>()
  follow(consumers, 'rejudge', times)
  const publishing: Promise<void>[] = []
  const timer = setInterval(
    () => publishing.push(queue.publish(sweepOf(10, publishing.length), ['rejudge'])),
    50,
  )
  t.teardown(() => clearInterval(timer))
  return {
    async end() {
      clearInterval(timer)
      await Promise.all(publishing)
      const last = publishing.length - 1
      await waitFor(
        () => [...times.values()].every((seen) => seen.includes(last)),
        'the last of each device',
        60_000,
      )
      for (const seen of times.values())
        t.same(
          firsts(seen),
          publishing.map((_, time) => time),
          'each reading of a device came, and in order',
        )
    },
  }
}

test('rabbitmq cluster: one node of three is killed', { skip, timeout: 230_000 }, async (t) => {
  const { cluster, load, order } = await startCluster(t)
  await cluster.nodes[0]?.kill()
  await more(load, 200)
  t.comment(`a publish took ${load.slowestMs()} ms at most`)
  await load.end()
  await order.end()
})

test(
  'rabbitmq cluster: each node of three is killed, and paused',
  { skip: skipLong, timeout: 900_000 },
  async (t) => {
    const { cluster, load, order } = await startCluster(t)
    for (const node of cluster.nodes) {
      await node.kill()
      await more(load, 200)
      await node.restart()
      await more(load, 200)
      t.comment(`${node.name} killed: a publish took ${load.slowestMs()} ms at most`)
    }
    for (const node of cluster.nodes) {
      node.pause()
      await sleep(30_000)
      node.resume()
      await cluster.nodes.find((other) => other !== node)?.control('await_online_nodes', '3')
      await more(load, 200)
      t.comment(`${node.name} paused: a publish took ${load.slowestMs()} ms at most`)
    }
    await load.end()
    await order.end()
  },
)
