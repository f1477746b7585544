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

/** Now, in bytes. */
export function residentBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
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
  const { seconds: _, warm, ...job } = options
  const loader = await startLoader(port, tokens, job)
  await warm?.()
  const before = (await loader.look()).acked
  const startedAt = performance.now()
  loader.go()
  await sleep(options.seconds * 1000)
  const { acked } = await loader.look()
  const seconds = (performance.now() - startedAt) / 1000
  return { acked: acked - before, seconds, ...(await loader.stop()) }
}

interface BacklogOptions {
  /** Of the first reading of each device. */
  readonly firstTime: number
  readonly stepMs: number
  /** Readings in one packet, of which a device sends the next when the last one is acknowledged. */
  readonly readings: number
  readonly packets: number
}

/** Connects devices that have gathered readings meanwhile; `send` has all of them send at once, and resolves with the seconds until the last acknowledgement. */
export async function gatherBacklog(
  port: number,
  tokens: readonly string[],
  { packets, ...job }: BacklogOptions,
): Promise<{ send(): Promise<number>; stop(): Promise<void> }> {
  const loader = await startLoader(port, tokens, { ...job, window: 1, packetsMax: packets })
  return {
    async send() {
      const startedAt = performance.now()
      loader.go()
      while (!(await loader.look()).isFinished) await sleep(20)
      return (performance.now() - startedAt) / 1000
    },
    stop: async () => void (await loader.stop()),
  }
}

/** A load generator in a process of its own, connected; without a backlog to send, each of its devices known to the broker by a first reading. */
export async function startLoader(port: number, tokens: readonly string[], job: Record<string, unknown>) {
  const child = fork(join(root, 'bench/load.ts'))
  const next = async () => ((await once(child, 'message')) as [Record<string, number | string | boolean>])[0]
  // Never in the future, whatever the rate.
  const pace = { firstTime: Date.now() - 86_400_000, ratePerSecond: 0, burst: 1, readings: 1, stepMs: 1 }
  child.send({ job: { port, tokens, ...pace, ...job } })
  const ready = await next()
  if (ready.failed) throw new Error(String(ready.failed))
  return {
    go: () => void child.send({ go: true }),
    async look() {
      child.send({ count: true })
      const { acked, isFinished } = await next()
      return { acked: Number(acked), isFinished: isFinished === true }
    },
    async stop() {
      child.send({ stop: true })
      const { p50Ms, p99Ms } = await next()
      return { p50Ms: Number(p50Ms), p99Ms: Number(p99Ms) }
    },
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
