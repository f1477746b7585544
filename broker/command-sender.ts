import { randomUUIDv7 } from 'node:crypto'
import { Readable } from 'node:stream'
import { Aedes } from 'aedes'
import type { BrokerDeps } from './index.ts'
import { createSendCommand, type Command } from './commands.ts'
import { logBurst } from './log-burst.ts'
import { boundedSessions } from './sessions.ts'
import { BROKER_DEFAULTS, type BrokerSettings } from './settings.ts'

type Deps = Pick<BrokerDeps, 'metrics' | 'log' | 'clock' | 'mq' | 'settings'> & {
  /** The one that the brokers share. */
  readonly persistence: object
}

export interface CommandSender {
  /** See `createSendCommand`. */
  readonly sendCommand: (deviceId: string, command: Command) => Promise<void>
  stop(): Promise<void>
}

/**
 * A member of the cluster of brokers that no device connects to: for a process that sends commands and has no broker. What it sends
 * goes the way of all commands, so that it reaches a device, and is refused, as from a broker beside it.
 */
export async function startCommandSender(deps: Deps): Promise<CommandSender> {
  const { persistence, metrics, log, clock, mq } = deps
  const settings: BrokerSettings = { ...BROKER_DEFAULTS, ...deps.settings }
  // The wills of dead brokers are left to those that can hand them over.
  const withoutWills = Object.assign(Object.create(persistence) as object, {
    streamWill: () => Readable.from([]),
  })
  const aedes = new Aedes({
    id: randomUUIDv7(),
    concurrency: 0,
    heartbeatInterval: settings.heartbeatMs,
    persistence: boundedSessions(withoutWills, { metrics, settings, isConnected: () => false }),
    ...(mq && { mq }),
  })
  const logError = logBurst(log, clock, 'the session store fails')
  const errors: NodeJS.EventEmitter = aedes
  errors.on('error', (err: Error) => logError({ err }))
  await aedes.listen()
  return {
    sendCommand: createSendCommand(aedes, clock, settings),
    stop: () => new Promise((resolve) => aedes.close(resolve)),
  }
}
