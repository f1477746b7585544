import { setTimeout as sleep } from 'node:timers/promises'
import { SimulatedDevice } from './device.ts'
import type { ScenarioMessage, Script } from './scenario.ts'

export interface PlayOptions {
  readonly url: string
  /** One token per device of the script. */
  readonly tokens: readonly string[]
  readonly script: Script
  /** Simulated seconds per real second; `Infinity`: as fast as the server acknowledges. */
  readonly speed: number
  readonly signal?: AbortSignal
  /** How long the end waits for the last acknowledgements. */
  readonly drainTimeoutMs?: number
  /** Called about once a second, and once at the end. */
  readonly onProgress?: (progress: PlayProgress) => void
}

export interface PlayProgress {
  readonly messages: number
  readonly sent: number
  readonly acknowledged: number
  /** True time in the story. */
  readonly time: number
}

const PROGRESS_EVERY_MS = 1000
const FULL_BUFFER_WAIT_MS = 20

/**
 * Publishes a scenario over MQTT in its order, and resolves when all of it is acknowledged or the signal came.
 * @throws DeviceError when a token is refused, or the server is away too long
 */
export async function playScript(options: PlayOptions): Promise<PlayProgress> {
  const { script, url, tokens, onProgress } = options
  const devices = tokens.map((token) => new SimulatedDevice({ url, token }))
  let time = script.messages[0]?.publishAt ?? 0
  const progress = () => progressOf(script, devices, time)
  const timer = setInterval(() => onProgress?.(progress()), PROGRESS_EVERY_MS)
  try {
    await Promise.all(devices.map((device) => device.connect()))
    await publishAll(options, devices, (publishAt) => (time = publishAt))
    await Promise.all(devices.map((device) => device.drain(options.drainTimeoutMs)))
    onProgress?.(progress())
    return progress()
  } finally {
    clearInterval(timer)
    await Promise.allSettled(devices.map((device) => device.close()))
  }
}

async function publishAll(
  { script, speed, signal }: PlayOptions,
  devices: readonly SimulatedDevice[],
  published: (publishAt: number) => void,
): Promise<void> {
  const startAt = script.messages[0]?.publishAt ?? 0
  const realStart = Date.now()
  for (const message of script.messages) {
    const device = devices[message.deviceIndex]
    if (!device) throw new Error(`the script has no token for device ${message.deviceIndex}`)
    const waitMs = realStart + (message.publishAt - startAt) / speed - Date.now()
    if (waitMs > 0) await pause(waitMs, signal)
    await sendWhenRoom(device, message, signal)
    if (signal?.aborted) return
    published(message.publishAt)
  }
}

async function sendWhenRoom(
  device: SimulatedDevice,
  message: ScenarioMessage,
  signal: AbortSignal | undefined,
): Promise<void> {
  while (!device.send(message.payload, message.topic)) {
    if (device.fatal) throw device.fatal
    await pause(FULL_BUFFER_WAIT_MS, signal)
    if (signal?.aborted) return
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

function progressOf(script: Script, devices: readonly SimulatedDevice[], time: number): PlayProgress {
  const sum = (of: 'sent' | 'acknowledged') => devices.reduce((total, device) => total + device.stats[of], 0)
  return { messages: script.messages.length, sent: sum('sent'), acknowledged: sum('acknowledged'), time }
}
