import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { hasMariadb, MariadbProcess } from './mariadb.ts'
import { folderFor, portFor } from './place.ts'

const run = promisify(execFile)

const PROVIDER = '/usr/lib/galera/libgalera_smm.so'
const SIZE = 3
// As root, the transfer of a node's data fails.
const USER = userInfo().uid === 0 ? 'mysql' : userInfo().username

/** Whether Galera is installed here, with what it copies a node's data with. */
export const hasGalera = hasMariadb && existsSync(PROVIDER) && existsSync('/usr/bin/rsync')

export interface GaleraNode {
  /** Of the database, which is the same on every node. */
  readonly url: string
  /** SIGKILL. */
  kill(): Promise<void>
  /**
   * Starts it again, on the same ports and data; resolves when it is in step with the others. When all nodes were killed, restart all
   * of them at once: none is ready before the others are there.
   */
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT: it keeps its connections, and answers nothing. */
  pause(): void
  resume(): void
}

export interface Galera {
  readonly nodes: readonly GaleraNode[]
  /** Of all nodes, as the program takes them. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts three private nodes that form one cluster, in a temporary folder and on free ports. */
export async function startGalera(): Promise<Galera> {
  const { folder, leave } = await folderFor('galera', {})
  // The servers run as somebody else, who must be able to come in.
  await chmod(folder, 0o755)
  const nodes: PrivateNode[] = []
  for (let index = 1; index <= SIZE; index += 1) nodes.push(new PrivateNode(folder, index, await freePorts()))
  const stop = async () => {
    await Promise.all(nodes.map(({ server }) => server.end('SIGKILL')))
    await leave()
  }
  try {
    await makeAlike(folder, nodes)
    await Promise.all(nodes.map((node) => node.start(nodes)))
    await nodes[0]?.server.createDatabase()
  } catch (error) {
    await stop()
    throw error
  }
  const hosts = nodes.map(({ url }) => new URL(url).host)
  return {
    nodes: nodes.map((node) => handleOf(node, nodes)),
    url: `mysql://root@${hosts.join(',')}/coldstream`,
    stop,
  }
}

/**
 * The nodes begin with the same data and as members of one cluster that all went down, so that they find each other as after a power
 * cut: to copy the data from node to node, one by one, would take a minute.
 */
async function makeAlike(folder: string, nodes: readonly PrivateNode[]): Promise<void> {
  const [first, ...others] = nodes
  if (!first) return
  await first.server.install()
  const state = `# GALERA saved state\nversion: 2.1\nuuid: ${randomUUID()}\nseqno: 0\nsafe_to_bootstrap: 0\n`
  await writeFile(join(first.data, 'grastate.dat'), state)
  for (const { data } of others) await cp(first.data, data, { recursive: true })
  for (const node of nodes) await node.remember(nodes)
  if (USER === 'mysql') await run('chown', ['-R', USER, folder])
}

function handleOf(node: PrivateNode, nodes: readonly PrivateNode[]): GaleraNode {
  const { server } = node
  return {
    url: server.url,
    kill: () => server.end('SIGKILL'),
    restart: () => node.restart(nodes),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  }
}

interface Ports {
  readonly sql: number
  /** Of the cluster's own traffic, of the writes that a node missed, and of a whole copy. */
  readonly group: number
  readonly catchUp: number
  readonly copy: number
}

async function freePorts(): Promise<Ports> {
  return {
    sql: await portFor({}),
    group: await portFor({}),
    catchUp: await portFor({}),
    copy: await portFor({}),
  }
}

class PrivateNode {
  readonly server: MariadbProcess
  readonly url: string
  readonly data: string
  readonly #cluster: string
  readonly #member: string
  readonly #ports: Ports

  constructor(folder: string, index: number, ports: Ports) {
    const dir = join(folder, String(index))
    this.#cluster = basename(folder)
    this.server = new MariadbProcess(dir, ports.sql, USER)
    this.url = this.server.url
    this.data = join(dir, 'data')
    this.#member = `00000000-0000-11f1-8000-00000000000${index}`
    this.#ports = ports
  }

  /** Writes down who was in the cluster when it went down. */
  async remember(nodes: readonly PrivateNode[]): Promise<void> {
    const last = nodes[0] ?? this
    const members = nodes.map((node) => `member: ${node.#member} 0\n`).join('')
    const view = `view_id: 3 ${last.#member} 1\nbootstrap: 0\n${members}`
    await writeFile(join(this.data, 'gvwstate.dat'), `my_uuid: ${this.#member}\n#vwbeg\n${view}#vwend\n`)
  }

  /** Resolves when the node is in step with others, and they are the greater part. */
  async start(nodes: readonly PrivateNode[], more: readonly string[] = []): Promise<void> {
    const { group, catchUp, copy } = this.#ports
    const provider = [
      `base_port=${group}`,
      `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
      `ist.recv_addr=127.0.0.1:${catchUp}`,
      'gcache.size=32M',
    ]
    await this.server.start(
      [
        '--binlog-format=ROW',
        '--innodb-autoinc-lock-mode=2',
        '--innodb-log-file-size=16M',
        '--wsrep-on=ON',
        `--wsrep-provider=${PROVIDER}`,
        `--wsrep-provider-options=${provider.join(';')}`,
        `--wsrep-cluster-name=${this.#cluster}`,
        `--wsrep-cluster-address=gcomm://${nodes.map((node) => `127.0.0.1:${node.#ports.group}`).join(',')}`,
        `--wsrep-node-address=127.0.0.1:${group}`,
        '--wsrep-sst-method=rsync',
        `--wsrep-sst-receive-address=127.0.0.1:${copy}`,
        ...more,
      ],
      isSynced,
    )
  }

  // As the service of the package does: a server that knows where it stood needs no whole copy, only what it missed.
  async restart(nodes: readonly PrivateNode[]): Promise<void> {
    const [, position] = /Recovered position: (\S+)/.exec(await this.server.ask('--wsrep-recover')) ?? []
    await this.start(nodes, position === undefined ? [] : [`--wsrep-start-position=${position}`])
  }
}

async function isSynced(connection: Connection): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'wsrep%'")
  const status = Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]))
  return status.wsrep_ready === 'ON' && status.wsrep_local_state_comment === 'Synced'
}
