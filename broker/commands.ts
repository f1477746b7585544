import type { Aedes } from 'aedes'
import { CodedError } from '../domain/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { BrokerSettings } from './settings.ts'
import { commandTopic } from './topics.ts'

export interface Command {
  readonly method: string
  readonly params: unknown
}

/** ThingsBoard numbers its commands with 32-bit integers. */
const COMMAND_IDS = 2_147_483_647

/**
 * Sends commands to devices, at QoS 1. Resolves when the command is queued in every persistent session of the device and
 * written to every connection that listens; a device that neither is connected nor keeps a session never hears of it.
 * Throws `request.tooLarge`, and `service.unavailable` when the command could not be queued or the session is full.
 */
export function createSendCommand(aedes: Aedes, clock: Clock, settings: BrokerSettings) {
  // Continues across restarts, so that a late response is not taken for that of a newer command.
  let lastId = Math.floor(clock.now() / 1000) % COMMAND_IDS

  return async (deviceId: string, { method, params }: Command): Promise<void> => {
    const payload = Buffer.from(JSON.stringify({ method, params }))
    if (payload.length > settings.packetBytesMax) throw new CodedError('request.tooLarge')
    lastId = (lastId % COMMAND_IDS) + 1
    const topic = commandTopic(deviceId, lastId)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, (error) => {
      if (error) reject(new CodedError('service.unavailable', 'the command was not queued', { cause: error }))
      else resolve()
    })
    await promise
  }
}
