import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { waitFor } from '../wait-for.ts'
import { folderFor, portFor } from './place.ts'

const SERVER = '/usr/bin/prometheus'
const TOOL = '/usr/bin/promtool'

/** Whether Prometheus and promtool are installed here. */
export const hasPrometheus = existsSync(SERVER) && existsSync(TOOL)

/** Runs promtool; resolves with its output, rejects with what it found wrong. */
export async function promtool(args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)(TOOL, args)
  running.child.stdin?.end(input)
  const { stdout, stderr } = await running.catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`promtool ${args.join(' ')}:\n${error.stdout}${error.stderr}`)
  })
  return stdout + stderr
}

export interface Prometheus {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a private server with this configuration, in a temporary folder and on a free port. */
export async function startPrometheus(configFile: string): Promise<Prometheus> {
  const { folder, leave } = await folderFor('prometheus', {})
  const address = `127.0.0.1:${await portFor({})}`
  const url = `http://${address}`
  const flags = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=${address}`,
    '--log.level=error',
  ]
  const child = spawn(SERVER, flags, { stdio: ['ignore', 'ignore', 'inherit'] })
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}`)
      return isReady()
    },
    'Prometheus',
    30_000,
  )
  return {
    url,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      await leave()
    },
  }
}
