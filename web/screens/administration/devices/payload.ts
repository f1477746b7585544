const SHOWN_BYTES_MAX = 65_536

/** The bytes of a packet as a person can read them: as text, JSON with its lines, or else in hexadecimal. */
export function readPayload(base64: string): { readonly isText: boolean; readonly text: string } {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0) ?? 0).slice(
    0,
    SHOWN_BYTES_MAX,
  )
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { isText: true, text: indent(text) }
  } catch {
    return { isText: false, text: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ') }
  }
}

function indent(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
