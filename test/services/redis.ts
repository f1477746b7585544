import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Redis } from 'ioredis'
import { waitFor } from '../wait-for.ts'
import { folderFor, portFor, type Place } from './place.ts'

const SERVER = '/usr/bin/redis-server'

/** Whether Redis is installed here. */
export const hasRedis = existsSync(SERVER)

export interface RedisServer {
  readonly url: string
  /** Ends it as a power cut would. What it has answered to is in its file. */
  kill(): Promise<void>
  /** Starts it again after `kill`, with the same port and the same data. */
  restart(): Promise<void>
  /** It keeps its connections, and answers nothing. */
  pause(): void
  resume(): void
  /** Commands served since the last call of this, by name, without the housekeeping of connections. */
  commands(): Promise<Record<string, number>>
  stop(): Promise<void>
}

/** Starts a private server, in a temporary folder and on a free port unless told otherwise. */
export async function startRedis(place: Place = {}): Promise<RedisServer> {
  const { folder: dir, leave } = await folderFor('redis', place)
  const port = await portFor(place)
  const url = `redis://127.0.0.1:${port}`
  let child = await start(port, dir)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    url,
    kill: () => end('SIGKILL'),
    async restart() {
      child = await start(port, dir)
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async commands() {
      return withClient(url, async (client) => {
        const stats = await client.info('commandstats')
        await client.config('RESETSTAT')
        return countCalls(stats)
      })
    },
    async stop() {
      // A stopped process does not hear SIGTERM; nothing here is worth a clean end.
      await end('SIGKILL')
      await leave()
    },
  }
}

const HOUSEKEEPING = /^(ping|info|config|hello|auth|client|quit|command)/

function countCalls(stats: string): Record<string, number> {
  const found = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
  return Object.fromEntries(
    found.flatMap(([, name = '', calls]) => (HOUSEKEEPING.test(name) ? [] : [[name, Number(calls)]])),
  )
}

async function start(port: number, dir: string): Promise<ChildProcess> {
  const options = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'yes',
  ]
  const child = spawn(SERVER, options, { stdio: 'ignore' })
  await waitFor(() => answers(`redis://127.0.0.1:${port}`), 'Redis')
  return child
}

async function answers(url: string): Promise<boolean> {
  try {
    return await withClient(url, async (client) => (await client.ping()) === 'PONG')
  } catch {
    return false
  }
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, disableClientInfo: true })
  client.on('error', () => {})
  try {
    await client.connect()
    return await use(client)
  } finally {
    client.disconnect()
  }
}
