import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Cache, Channels } from '../../ports/cache.ts'
import { keepSubscribed } from '../redis/channels.ts'
import { complainOnce, type RedisLog } from '../redis/connect.ts'
import { createAudience } from './redis-audience.ts'

type Channel = keyof Channels

interface Listener {
  readonly listener: (message: never) => void
  readonly onGap: (() => void) | undefined
}

interface Deps {
  readonly commands: Redis
  /** A connection of its own. */
  readonly subscriber: Redis
  readonly prefix: string
  readonly log: RedisLog
}

/** Characters given to the connection and not yet answered. Beyond it a hint is lost: Redis is slower than the hints, and they are hints. */
const IN_FLIGHT_CHARS_MAX = 16 * 1024 * 1024
/** How long after a lost hint everybody is told of it, and again if that is lost. */
const CONFESS_EVERY_MS = 500
/** Instead of a message: some were lost on their way here. */
const GAP = 'gap'

/**
 * Publish and subscribe between processes. Listeners of this process are told at once and directly, those of others through Redis.
 * A hint that could not be sent is not kept; once Redis is back, everybody on its channel is told that something was missed.
 */
export function createHints(deps: Deps): Pick<Cache, 'publish' | 'subscribe'> {
  const { commands, subscriber, prefix, log } = deps
  const self = `${randomUUID()} `
  const listeners = createListeners(log)
  const send = createSender(deps, self)
  const channels = keepSubscribed(subscriber, log, {
    onMessage(name, bytes) {
      const text = bytes.toString()
      if (text.startsWith(self)) return
      const channel = name.slice(prefix.length) as Channel
      const json = text.slice(text.indexOf(' ') + 1)
      if (json === GAP) listeners.tellGap(channel)
      else listeners.tell(channel, JSON.parse(json) as Channels[Channel])
    },
    onLinked: listeners.tellAllGap,
  })
  const audience = createAudience(commands, `${prefix}readings`, () => channels.has(`${prefix}readings`))

  return {
    publish(channel, message) {
      listeners.tell(channel, message)
      if (channel !== 'readings') send(channel, JSON.stringify(message))
      else audience.ifAny(() => send(channel, JSON.stringify(message)))
    },
    subscribe(channel, listener, onGap) {
      const remove = listeners.add(channel, { listener, onGap })
      // Between its start and the answer of Redis something may have been said.
      void channels.add(prefix + channel).then(() => listeners.tellGap(channel))
      return () => {
        if (remove()) channels.remove(prefix + channel)
      }
    },
  }
}

function createListeners(log: RedisLog) {
  const byChannel = new Map<Channel, Set<Listener>>()
  const complain = complainOnce(log, 'cache: a listener has thrown')

  const call = (listener: () => void): void => {
    try {
      listener()
    } catch (error) {
      complain(error)
    }
  }
  // A copy each time, so that a listener may subscribe or stop while it is told.
  const of = (channel: Channel): Listener[] => [...(byChannel.get(channel) ?? [])]
  const tellGap = (channel: Channel): void => {
    for (const { onGap } of of(channel)) if (onGap) call(onGap)
  }

  return {
    /** Returns how to remove it, which answers whether it was there. */
    add(channel: Channel, own: Listener): () => boolean {
      const all = byChannel.get(channel) ?? new Set()
      byChannel.set(channel, all.add(own))
      return () => all.delete(own)
    },
    tell(channel: Channel, message: Channels[Channel]): void {
      for (const { listener } of of(channel)) call(() => listener(message as never))
    },
    tellGap,
    tellAllGap(): void {
      for (const channel of byChannel.keys()) tellGap(channel)
    },
  }
}

function createSender(
  { commands, prefix, log }: Deps,
  self: string,
): (channel: Channel, json: string) => void {
  const complain = complainOnce(log, 'cache: a hint was not sent')
  const lost = new Set<Channel>()
  let inFlightChars = 0

  function send(channel: Channel, json: string): void {
    const text = self + json
    if (inFlightChars + text.length > IN_FLIGHT_CHARS_MAX) {
      lose(channel, new Error('Redis is slower than the hints'))
      return
    }
    inFlightChars += text.length
    commands
      .publish(prefix + channel, text)
      .catch((error: unknown) => lose(channel, error))
      .finally(() => (inFlightChars -= text.length))
  }

  function lose(channel: Channel, error: unknown): void {
    complain(error)
    // Of readings that went by nobody remembers anything.
    if (channel === 'readings') return
    lost.add(channel)
    if (lost.size === 1) setTimeout(confess, CONFESS_EVERY_MS).unref()
  }

  function confess(): void {
    const missed = [...lost]
    lost.clear()
    // Lost again if Redis is still away.
    for (const channel of missed) send(channel, GAP)
  }
  return send
}
