import { setTimeout as sleep } from 'node:timers/promises'
import type { Coldstream } from '../services/coldstream.ts'
import type { Distributed, Shape, Victim } from '../services/deployment.ts'

export interface Fault {
  readonly name: string
  /** For a reader of the table. */
  readonly what: string
  /** Of the deployment that it happens to. */
  readonly shape: Shape
  /** Begins it. What is returned ends it, and resolves when that is done: the rest is for the program to do. */
  begin(deployment: Distributed): Promise<() => Promise<void>>
  /** How long it lasts. */
  readonly lastsMs: number
}

const KILLED_MS = 10_000
const PAUSED_MS = 30_000
const PARTED_MS = 30_000

const TWO_OF_EACH: Shape = { copies: 2 }
const THREE_NODES: Shape = { copies: 2, queueNodes: 3 }
const GALERA: Shape = { copies: 2, galera: true }

const PARTS = ['broker', 'ingest', 'notifier', 'api'] as const
const SERVERS = { database: 'MariaDB', queue: 'RabbitMQ', cache: 'Redis', series: 'VictoriaMetrics' } as const
type ServerName = keyof typeof SERVERS
const SERVER_NAMES = Object.keys(SERVERS) as ServerName[]

type Find = (deployment: Distributed) => readonly Victim[]

// The second of each: the first api is the one that is asked for the outcome.
const secondOf =
  (part: string): Find =>
  ({ processes }) => [there<Coldstream>(processes[part]?.[1])]

const server =
  (name: ServerName, node = 0): Find =>
  ({ servers }) => [there(servers[name][node])]

function there<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('the deployment has no such process')
  return found
}

interface Naming {
  readonly name: string
  /** Who it happens to. */
  readonly whom: string
  readonly shape?: Shape
}

function killed({ name, whom, shape = TWO_OF_EACH }: Naming, find: Find): Fault {
  return {
    name: `kill-${name}`,
    what: `\`kill -9\` of ${whom}, started again after ${KILLED_MS / 1000} s`,
    shape,
    lastsMs: KILLED_MS,
    async begin(deployment) {
      const victims = find(deployment)
      await Promise.all(victims.map((one) => one.kill()))
      return async () => void (await Promise.all(victims.map((one) => one.restart())))
    },
  }
}

function paused({ name, whom, shape = TWO_OF_EACH }: Naming, find: Find): Fault {
  return {
    name: `pause-${name}`,
    what: `SIGSTOP of ${whom} for ${PAUSED_MS / 1000} s`,
    shape,
    lastsMs: PAUSED_MS,
    async begin(deployment) {
      for (const one of find(deployment)) one.pause()
      return async () => {
        for (const one of find(deployment)) one.resume()
      }
    },
  }
}

function parted(name: string, whom: string, find: (links: Distributed['links']) => readonly Held[]): Fault {
  return {
    name: `part-${name}`,
    what: `nothing passes between ${whom} for ${PARTED_MS / 1000} s, and nobody is told`,
    shape: TWO_OF_EACH,
    lastsMs: PARTED_MS,
    async begin({ links }) {
      for (const link of find(links)) link.hold()
      return async () => {
        for (const link of find(links)) link.release()
      }
    },
  }
}

interface Held {
  hold(): void
  release(): void
}

/** Every fault of which docs/faults.md tells, those of one shape together. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'none',
    what: 'nothing, for comparison',
    shape: TWO_OF_EACH,
    lastsMs: KILLED_MS,
    begin: async () => async () => sleep(0),
  },
  ...PARTS.map((part) => killed({ name: part, whom: `one of two processes of ${part}` }, secondOf(part))),
  killed({ name: 'one-of-each', whom: 'one process of each part at once' }, (deployment) =>
    PARTS.flatMap((part) => secondOf(part)(deployment)),
  ),
  ...SERVER_NAMES.map((name) => killed({ name: nameOf(name), whom: SERVERS[name] }, server(name))),
  ...PARTS.map((part) => paused({ name: part, whom: `one of two processes of ${part}` }, secondOf(part))),
  ...SERVER_NAMES.map((name) => paused({ name: nameOf(name), whom: SERVERS[name] }, server(name))),
  parted('broker-ingest', 'every broker and one of two ingest workers', ({ intake }) => intake.slice(1)),
  parted('broker-all-ingest', 'every broker and every ingest worker', ({ intake }) => intake),
  parted('ingest-rabbitmq', 'one of two ingest workers and RabbitMQ', ({ queue }) => queue[1] ?? []),
  ...[0, 1, 2].map((node) =>
    killed(
      {
        name: `rabbitmq-${node + 1}-of-3`,
        whom: `node ${node + 1} of three of RabbitMQ`,
        shape: THREE_NODES,
      },
      server('queue', node),
    ),
  ),
  paused(
    { name: 'rabbitmq-1-of-3', whom: 'node 1 of three of RabbitMQ', shape: THREE_NODES },
    server('queue', 0),
  ),
  killed(
    { name: 'galera-1-of-3', whom: 'node 1 of three of a Galera cluster', shape: GALERA },
    server('database', 0),
  ),
  paused(
    { name: 'galera-1-of-3', whom: 'node 1 of three of a Galera cluster', shape: GALERA },
    server('database', 0),
  ),
]

function nameOf(name: ServerName): string {
  return SERVERS[name].toLowerCase()
}
