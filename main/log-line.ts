import { randomBytes } from 'node:crypto'
import type { LogEntryTable } from '../db/schema-logs.ts'

const MESSAGE_CHARS_MAX = 2000
const DATA_CHARS_MAX = 8000
const ID_CHARS_MAX = 36
const INFO = 30

/** Fields that have a column, and what says nothing to anybody in a database. */
const KNOWN = new Set([
  'level',
  'time',
  'part',
  'msg',
  'reqId',
  'deviceId',
  'userId',
  'traceId',
  'spanId',
  'pid',
])

/** Makes a row of each line that the log wrote, bounded in size; undefined for a line that is none. */
export function createLineReader(): (line: string) => LogEntryTable | undefined {
  const idAt = createIds()
  return (line) => {
    const fields = parse(line)
    if (!fields) return undefined
    const at = typeof fields['time'] === 'number' ? Math.trunc(fields['time']) : Date.now()
    const rest = Object.entries(fields).filter(([name]) => !KNOWN.has(name))
    const data = rest.length === 0 ? null : boundedJson(Object.fromEntries(rest))
    const message = (text(fields['msg']) ?? '').slice(0, MESSAGE_CHARS_MAX).toWellFormed()
    return {
      id: idAt(at),
      at,
      level: typeof fields['level'] === 'number' ? fields['level'] : INFO,
      part: (text(fields['part']) ?? 'main').slice(0, 32),
      message,
      requestId: id(fields['reqId']),
      deviceId: id(fields['deviceId']),
      userId: id(fields['userId']),
      traceId: id(fields['traceId']),
      data,
      bytes: 250 + message.length + (data?.length ?? 0),
    }
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line)
    return typeof fields === 'object' && fields !== null ? { ...fields } : undefined
  } catch {
    return undefined
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

// A column has room for ids only; what is longer is none.
function id(value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= ID_CHARS_MAX ? value : null
}

function boundedJson(data: object): string {
  const json = JSON.stringify(data).toWellFormed()
  return json.length <= DATA_CHARS_MAX ? json : JSON.stringify({ cutOff: json.slice(0, DATA_CHARS_MAX) })
}

/** UUIDv7 (RFC 9562, 5.7) of the time at which something was said; what this process says in one millisecond stays in its order. */
function createIds(): (timeMs: number) => string {
  let lastMs = 0
  let sequence = 0
  return (timeMs) => {
    sequence = timeMs === lastMs ? Math.min(sequence + 1, 0xfff) : 0
    lastMs = timeMs
    const time = timeMs.toString(16).padStart(12, '0')
    const random = randomBytes(8)
    random.writeUInt8((random.readUInt8(0) & 0x3f) | 0x80, 0)
    const rest = random.toString('hex')
    const counted = sequence.toString(16).padStart(3, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counted}-${rest.slice(0, 4)}-${rest.slice(4)}`
  }
}
