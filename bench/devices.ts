import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { registerDevices } from '../test/services/coldstream.ts'
import { residentBytesOf, startBareAedes, startFresh } from './harness.ts'
import type { Report } from './report.ts'

/** Files that a process opens beside its connections. */
const OTHER_FILES = 500
const DEVICES = Math.min(Number(process.env.BENCH_DEVICES ?? 20_000), filesMax() - OTHER_FILES)
/** Processes that hold the connections. */
const HOLDERS = 2
const SETTLE_MS = 5_000
const LOOK_EVERY_MS = 50
const BACK_SECONDS_MAX = 60

/**
 * Devices that are connected and idle: what one of them takes in memory, how fast they are let in, and how long after the end of the broker the last
 * one is back, each with its token looked up in a database: bare Aedes, which asks nobody for anything, and the embedded program.
 */
export async function benchDevices(): Promise<Report> {
  const bare = await measureBare()
  const ours = await measureOurs()
  return {
    name: 'devices',
    title: `${DEVICES.toLocaleString('en')} connected devices`,
    baseline: 'bare Aedes 1.2, which lets in everybody',
    figures: [
      { name: 'bare Aedes: memory per device', unit: 'kB', values: [bare.bytesEach / 1000] },
      {
        name: 'memory per device',
        unit: 'kB',
        values: [ours.bytesEach / 1000],
        ratio: [ours.bytesEach / bare.bytesEach],
      },
      { name: 'so devices per GiB', unit: '', values: [2 ** 30 / ours.bytesEach] },
      { name: 'bare Aedes: let in', unit: '1/s', values: [DEVICES / bare.seconds] },
      {
        name: 'let in with their tokens',
        unit: '1/s',
        values: [DEVICES / ours.seconds],
        ratio: [bare.seconds / ours.seconds],
      },
      { name: 'from kill -9 until the program listens again', unit: 's', values: [ours.listeningSeconds] },
      { name: 'from kill -9 until all are back', unit: 's', values: [ours.backSeconds] },
    ],
    target: `all back within ${BACK_SECONDS_MAX} s`,
    passes: ours.backSeconds < BACK_SECONDS_MAX,
  }
}

async function measureBare() {
  const aedes = await startBareAedes()
  const holders = startHolders()
  try {
    return await letIn(
      holders,
      aedes.mqttPort,
      Array.from({ length: DEVICES }, (_, i) => `device-${i}`),
      aedes.pid,
    )
  } finally {
    for (const holder of holders) holder.kill()
    await aedes.stop()
  }
}

async function measureOurs() {
  const server = await startFresh()
  const holders = startHolders()
  try {
    const devices = await registerDevices(server.http, DEVICES)
    const tokens = devices.map(({ accessToken }) => accessToken)
    const all = await letIn(holders, server.mqttPort, tokens, server.pid)
    const startedAt = performance.now()
    await server.kill()
    await server.restart()
    const listeningSeconds = (performance.now() - startedAt) / 1000
    await untilConnected(holders)
    const backSeconds = (performance.now() - startedAt) / 1000
    return { ...all, listeningSeconds, backSeconds }
  } finally {
    for (const holder of holders) holder.kill()
    await server.stop()
  }
}

async function letIn(
  holders: readonly ChildProcess[],
  port: number,
  tokens: readonly string[],
  pid: number,
): Promise<{ bytesEach: number; seconds: number }> {
  await sleep(SETTLE_MS)
  const before = residentBytesOf(pid)
  const startedAt = performance.now()
  const share = Math.ceil(tokens.length / holders.length)
  for (const [index, holder] of holders.entries())
    holder.send({ job: { port, tokens: tokens.slice(index * share, (index + 1) * share) } })
  await untilConnected(holders)
  const seconds = (performance.now() - startedAt) / 1000
  await sleep(SETTLE_MS)
  return { seconds, bytesEach: (residentBytesOf(pid) - before) / tokens.length }
}

async function untilConnected(holders: readonly ChildProcess[]): Promise<void> {
  while ((await connectedOf(holders)) < DEVICES) await sleep(LOOK_EVERY_MS)
}

async function connectedOf(holders: readonly ChildProcess[]): Promise<number> {
  const counts = holders.map(async (holder) => {
    const answer = once(holder, 'message')
    holder.send({ count: true })
    return ((await answer) as [{ connected: number }])[0].connected
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

function startHolders(): ChildProcess[] {
  return Array.from({ length: HOLDERS }, () => fork(join(import.meta.dirname, 'hold.ts')))
}

function filesMax(): number {
  return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
}
