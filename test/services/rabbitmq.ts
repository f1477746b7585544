import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from 'amqplib'
import { waitFor } from '../wait-for.ts'
import { folderFor, portFor, type Place } from './place.ts'

// Not the wrapper of the package: that one changes the user.
const BIN = '/usr/lib/rabbitmq/bin'
const run = promisify(execFile)
// As docs/operations.md asks for, but for the disk.
const CONFIG = `
disk_free_limit.absolute = 1MB
cluster_partition_handling = pause_minority
net_ticktime = 10
`

/** Whether RabbitMQ is installed here. */
export const hasRabbitmq = existsSync(join(BIN, 'rabbitmq-server'))

export interface RabbitmqNode {
  /** Such as `coldstream1@localhost`. */
  readonly name: string
  readonly url: string
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data; resolves when it takes connections. */
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
  /** `rabbitmqctl`, answers its output. */
  control(...args: readonly string[]): Promise<string>
}

export interface Rabbitmq extends RabbitmqNode {
  stop(): Promise<void>
}

export interface RabbitmqCluster {
  readonly nodes: readonly RabbitmqNode[]
  /** Of all nodes, as the adapter takes them. */
  readonly url: string
  stop(): Promise<void>
}

/** Where a node is, and what it does beside AMQP. */
export interface RabbitmqPlace extends Place {
  /** Its plugin for MQTT listens there. */
  readonly mqttPort?: number
  /** Its plugin for Prometheus listens there. */
  readonly metricsPort?: number
}

/** Starts a private node, in a temporary folder and on free ports unless told otherwise. */
export async function startRabbitmq(place: RabbitmqPlace = {}): Promise<Rabbitmq> {
  const { nodes, stop } = await startRabbitmqCluster(1, place)
  const [node] = nodes
  if (!node) throw new Error('no node')
  return { ...node, stop }
}

/** Starts private nodes that form one cluster; about 10 s each. A port that is given is that of the first. */
export async function startRabbitmqCluster(
  size: number,
  place: RabbitmqPlace = {},
): Promise<RabbitmqCluster> {
  const { folder: dir, leave } = await folderFor('rabbitmq', place)
  // A port mapper of their own: the one of the machine would outlive the test and know the nodes of others.
  const epmdPort = await portFor({})
  const nodes: PrivateNode[] = []
  await writeConfiguration(dir, place)
  for (let index = 1; index <= size; index += 1)
    nodes.push(
      new PrivateNode(dir, index, await portFor(index === 1 ? place : {}), await portFor({}), epmdPort),
    )
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')))
    await run('epmd', ['-port', String(epmdPort), '-kill']).catch(() => undefined)
    await leave()
  }
  try {
    await nodes[0]?.start()
    for (const node of nodes.slice(1)) await joinCluster(node, nodes[0])
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes: nodes.map(handleOf), url: nodes.map(({ url }) => url).join(' '), stop }
}

async function writeConfiguration(dir: string, { mqttPort, metricsPort }: RabbitmqPlace): Promise<void> {
  const plugins: string[] = []
  let config = CONFIG
  if (mqttPort !== undefined) {
    plugins.push('rabbitmq_mqtt')
    config += `mqtt.listeners.tcp.1 = 127.0.0.1:${mqttPort}\n`
  }
  if (metricsPort !== undefined) {
    plugins.push('rabbitmq_prometheus')
    config += `prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = ${metricsPort}\n`
  }
  await writeFile(join(dir, 'plugins'), `[${plugins.join(',')}].\n`)
  await writeFile(join(dir, 'rabbitmq.conf'), config)
}

async function joinCluster(node: PrivateNode, first: PrivateNode | undefined): Promise<void> {
  await node.start()
  for (const args of [['stop_app'], ['join_cluster', first?.name ?? ''], ['start_app']])
    await node.control(...args)
}

function handleOf(node: PrivateNode): RabbitmqNode {
  return {
    name: node.name,
    url: node.url,
    kill: () => node.end('SIGKILL'),
    restart: () => node.start(),
    pause: () => node.signal('SIGSTOP'),
    resume: () => node.signal('SIGCONT'),
    control: (...args) => node.control(...args),
  }
}

class PrivateNode {
  readonly name: string
  readonly url: string
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined

  constructor(dir: string, index: number, port: number, distPort: number, epmdPort: number) {
    this.name = `coldstream${index}@localhost`
    this.url = `amqp://guest:guest@127.0.0.1:${port}`
    const own = join(dir, String(index))
    this.#env = {
      PATH: process.env.PATH,
      // The nodes find the same cookie here.
      HOME: dir,
      LANG: 'C.UTF-8',
      ERL_EPMD_PORT: String(epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: this.name,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distPort),
      RABBITMQ_MNESIA_BASE: join(own, 'mnesia'),
      RABBITMQ_LOG_BASE: join(own, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
      RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
      // Else a shell would stand between us and the server, and signals would hit the shell.
      RABBITMQ_ALLOW_INPUT: '1',
    }
  }

  async start(): Promise<void> {
    const child = spawn(join(BIN, 'rabbitmq-server'), ['-noinput'], { env: this.#env, stdio: 'ignore' })
    this.#child = child
    await waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`RabbitMQ ended with ${child.exitCode}`)
        return connect(this.url).then(
          (connection) => connection.close().then(() => true),
          () => false,
        )
      },
      'RabbitMQ',
      90_000,
    )
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  async control(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(join(BIN, 'rabbitmqctl'), ['-n', this.name, ...args], { env: this.#env })
    return stdout
  }
}
