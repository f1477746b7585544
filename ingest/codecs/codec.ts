import type { AttributeUpdate } from '../../domain/batch.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import type { Reading } from '../../domain/reading.ts'

/** What every codec is bound by; each bound ends in a refusal, never in an exception. */
export interface CodecLimits {
  /** Levels of nesting in JSON. */
  readonly depthMax: number
  /** Readings, attributes and refusals together that one packet may yield. */
  readonly readingsPerPacketMax: number
  /** How far ahead of the server a device's clock may be. */
  readonly futureMsMax: number
  readonly attributeCharsMax: number
}

export const DEFAULT_LIMITS: CodecLimits = {
  depthMax: 8,
  readingsPerPacketMax: 5000,
  futureMsMax: 600_000,
  attributeCharsMax: 4096,
}

/** What a name behind a gateway stands for: the id of that device, or why it may not speak. */
export type Child = { readonly deviceId: string } | { readonly refused: ErrorCode }

/** All that decoding depends on beside topic and bytes: the same input gives the same output, always. */
export interface DecodeContext {
  readonly deviceId: string
  readonly isGateway: boolean
  readonly receivedAt: number
  readonly limits: CodecLimits
  /** Undefined when the name is not known yet: it is then listed in `unknownChildren`, and the packet decoded again once it is. */
  readonly childNamed: (name: string) => Child | undefined
}

export interface Refused {
  readonly code: ErrorCode
  readonly detail: string
}

export interface Decoded {
  readonly readings: readonly Reading[]
  readonly attributes: readonly AttributeUpdate[]
  readonly refused: readonly Refused[]
  /** Names of a gateway's devices that have something to say and are not known yet; with any, the rest of this result is provisional. */
  readonly unknownChildren?: readonly string[] | undefined
}

const CONTROL = /\p{Cc}/u

/** Whether a sensor, device or attribute may be called so. A lone surrogate would change its spelling in every store that keeps UTF-8. */
export function isName(name: string, charsMax = 64): boolean {
  return name.length > 0 && name.length <= charsMax && !CONTROL.test(name) && name.isWellFormed()
}
