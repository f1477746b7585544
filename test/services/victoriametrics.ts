import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { waitFor } from '../wait-for.ts'
import { folderFor, portFor, type Place } from './place.ts'

const SERVER = '/usr/bin/victoria-metrics'

/** Whether VictoriaMetrics is installed here. */
export const hasVictoriaMetrics = existsSync(SERVER)

export interface VictoriaMetrics {
  readonly url: string
  /** `kill -9`. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data. */
  start(): Promise<void>
  /** The process stays and answers nothing (SIGSTOP). */
  pause(): void
  resume(): void
  /** Ends it for good; its data goes with it, unless it has a place of its own. */
  stop(): Promise<void>
}

/** Starts a private server, in a temporary folder and on a free port unless told otherwise. */
export async function startVictoriaMetrics(
  flags: readonly string[] = [],
  place: Place = {},
): Promise<VictoriaMetrics> {
  const { folder: dir, leave } = await folderFor('victoriametrics', place)
  const address = `127.0.0.1:${await portFor(place)}`
  const url = `http://${address}`
  const all = [
    `-storageDataPath=${dir}/data`,
    `-httpListenAddr=${address}`,
    '-retentionPeriod=100y',
    '-snapshotsMaxAge=1d',
    '-loggerLevel=ERROR',
    ...flags,
  ]
  let child = await run(all, url)
  const kill = () => end(child, 'SIGKILL')
  return {
    url,
    kill,
    async start() {
      child = await run(all, url)
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      // Data that is kept is written out first; it holds the last seconds in memory.
      await (place.dir === undefined ? kill() : end(child, 'SIGTERM'))
      await leave()
    },
  }
}

async function run(flags: readonly string[], url: string): Promise<ChildProcess> {
  const child = spawn(SERVER, flags, { stdio: 'ignore' })
  const answers = () =>
    fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    )
  await waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`VictoriaMetrics ended with ${child.exitCode}`)
      return answers()
    },
    'VictoriaMetrics',
    30_000,
  )
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
