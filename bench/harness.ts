import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startColdstream, type Coldstream } from '../test/services/coldstream.ts'

const root = resolve(import.meta.dirname, '..')

/** The most memory that a process ever had resident, in MB (10⁶ bytes). */
export function peakMemoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6
}

/** CPU time of a process in seconds, user and system. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export interface Baseline {
  readonly pid: number
  readonly mqttPort: number
  stop(): Promise<void>
}

export async function startBareAedes(): Promise<Baseline> {
  const child = fork(join(root, 'bench/bare-aedes.ts'))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    pid: Number(child.pid),
    mqttPort: port,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Settings of a process that leave a profile of it in bench/out, with `CPU_PROF=1`. */
export function profiling(): Record<string, string> {
  return process.env.CPU_PROF ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(root, 'bench/out')}` } : {}
}

/** The program on data of its own; `CPU_PROF=1` leaves a profile of it in bench/out. */
export async function startFresh(): Promise<Coldstream & { stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-bench-'))
  const program = await startColdstream(dir, profiling())
  return {
    ...program,
    async stop() {
      await program.end('SIGTERM')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export interface LoadResult {
  readonly acked: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface LoadOptions {
  readonly seconds: number
  /** Unacknowledged packets per connection. */
  readonly window: number
  readonly ratePerSecond?: number
  /** How many one after the other on one connection, where there is a rate; 1 unless given. */
  readonly burst?: number
  readonly password?: string
  /** Of the first reading of each device, which sends one for each millisecond from then on. A day ago unless given. */
  readonly firstTime?: number
  readonly warm?: () => Promise<void>
}

/**
 * Publishes QoS 1 from a process of its own for `seconds`, and returns what was acknowledged.
 * @param options `warm` is awaited after the first reading of each device, before the measurement begins
 */
export async function load(
  port: number,
  tokens: readonly string[],
  options: LoadOptions,
): Promise<LoadResult> {
  const child = fork(join(root, 'bench/load.ts'))
  const counted = () => {
    child.send({ count: true })
    return next()
  }
  const next = async () => ((await once(child, 'message')) as [Record<string, number | string>])[0]
  const { seconds: _, warm: __, ...pace } = options
  // Never in the future, whatever the rate.
  child.send({
    job: { port, tokens, firstTime: Date.now() - 86_400_000, ratePerSecond: 0, burst: 1, ...pace },
  })
  const ready = await next()
  if (ready.failed) throw new Error(String(ready.failed))
  await options.warm?.()
  const before = Number((await counted()).acked)
  const startedAt = performance.now()
  child.send({ go: true })
  await sleep(options.seconds * 1000)
  const { acked } = await counted()
  const seconds = (performance.now() - startedAt) / 1000
  child.send({ stop: true })
  const done = await next()
  return {
    acked: Number(acked) - before,
    seconds,
    p50Ms: Number(done.p50Ms),
    p99Ms: Number(done.p99Ms),
  }
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** @param share 0.99 for the 99th percentile */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
}
