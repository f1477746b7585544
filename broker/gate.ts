import type { Duplex } from 'node:stream'
import { readThrough } from './aedes-internals.ts'

/**
 * Stands before one connection. Aedes reads on while packets are being authorized, so without it a device that publishes
 * faster than the intake takes would fill the memory; behind a closed gate its bytes stay in the network (P5).
 */
export interface Gate {
  enter(): void
  /** To be called before Aedes hears that the packet is through. */
  leave(): void
}

/** For what comes from no connection: wills of an earlier run. */
export const OPEN_GATE: Gate = { enter() {}, leave() {} }

/**
 * Closes when `handOversMax` packets of the stream are being handed over, and opens again at half of that.
 * @param aside told of each that begins to wait for its hand-over (1) and of each that ends (-1)
 */
export function gateBefore(stream: Duplex, handOversMax: number, aside: (by: 1 | -1) => void): Gate {
  let handOvers = 0
  let closed = false
  readThrough(stream, () => closed)
  return {
    enter() {
      aside(1)
      if (++handOvers >= handOversMax) closed = true
    },
    leave() {
      aside(-1)
      handOvers--
      if (!closed || handOvers > handOversMax / 2) return
      closed = false
      // Aedes reads when it hears this.
      stream.emit('readable')
    },
  }
}
