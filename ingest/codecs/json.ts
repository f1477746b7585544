import type { ErrorCode } from '../../domain/errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** JSON from an enemy. Depth is measured on the bytes before anything is built, so that no nesting can exhaust a stack. */
export function parseJson(
  bytes: Uint8Array,
  depthMax: number,
): { readonly body: unknown } | { readonly code: ErrorCode; readonly detail: string } {
  if (bytes.length === 0) return { code: 'packet.empty', detail: '0 bytes' }
  if (isDeeper(bytes, depthMax)) return { code: 'packet.tooDeep', detail: `more than ${depthMax} levels` }
  try {
    return { body: JSON.parse(utf8.decode(bytes)) }
  } catch (error) {
    return { code: 'packet.notJson', detail: error instanceof Error ? error.message.slice(0, 200) : '' }
  }
}

// UTF-8 keeps the bytes of ASCII to themselves, so that brackets can be counted without decoding. What is not JSON may be miscounted;
// it is refused either way.
function isDeeper(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) i = endOfString(bytes, i)
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > depthMax) return true
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--
  }
  return false
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}
