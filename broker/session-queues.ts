/** How many messages the sessions keep, so that no device makes the broker keep more than its share. */
export interface SessionQueues {
  /** Takes a place in the queue of a client; false when it is full. `settle` when the message is in it, or never will be. */
  claim(clientId: string): Promise<boolean>
  settle(clientId: string): void
  /** A message has left the queue. */
  cleared(clientId: string): void
  /** The queue is gone. */
  forget(clientId: string): void
}

/** What the queues of a single broker hold: counted once, and then remembered for those that hold any. */
export function rememberedQueues(
  countMessages: (clientId: string) => Promise<number>,
  messagesMax: number,
): SessionQueues {
  const lengths = new Map<string, number>()

  async function lengthOf(clientId: string): Promise<number> {
    const known = lengths.get(clientId)
    if (known !== undefined) return known
    const counted = await countMessages(clientId)
    return lengths.get(clientId) ?? counted
  }

  return {
    async claim(clientId) {
      const length = await lengthOf(clientId)
      if (length >= messagesMax) return false
      lengths.set(clientId, length + 1)
      return true
    },
    settle() {},
    cleared(clientId) {
      const length = lengths.get(clientId)
      if (length === undefined) return
      if (length > 1) lengths.set(clientId, length - 1)
      else lengths.delete(clientId)
    },
    forget: (clientId) => void lengths.delete(clientId),
  }
}

/**
 * Queues that other brokers fill and empty as well: asked for each message. What this broker is putting in counts at once; two brokers
 * that put in at the same moment may exceed the limit by as many.
 */
export function sharedQueues(
  queueLength: (clientId: string) => Promise<number>,
  messagesMax: number,
): SessionQueues {
  const claimed = new Map<string, number>()

  function settle(clientId: string): void {
    const left = (claimed.get(clientId) ?? 0) - 1
    if (left > 0) claimed.set(clientId, left)
    else claimed.delete(clientId)
  }

  return {
    async claim(clientId) {
      const ahead = claimed.get(clientId) ?? 0
      claimed.set(clientId, ahead + 1)
      let hasRoom = false
      try {
        hasRoom = (await queueLength(clientId)) + ahead < messagesMax
        return hasRoom
      } finally {
        if (!hasRoom) settle(clientId)
      }
    },
    settle,
    cleared() {},
    forget() {},
  }
}
