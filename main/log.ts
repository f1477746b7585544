import pino, { type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { redact } from '../domain/redact.ts'

/** Takes each line of the log too, beside the place where it is shown. Must not wait, nor throw. */
export type LogTap = (line: string) => void

export interface LogOptions {
  /** The standard output, unless given. */
  readonly destination?: DestinationStream | undefined
  readonly taps?: readonly LogTap[]
  /** Fields for a line that is being written, such as the trace that it belongs to. */
  readonly mixin?: (() => object) | undefined
}

/**
 * Structured logs: JSON lines, or readable ones on a terminal. Secrets and personal data are left out, should they ever come near a log: by the names
 * of fields, and in the finished line by their form, so that nobody who reads logs further on has to think of it.
 */
export function createLog(level: string, { destination, taps = [], mixin }: LogOptions = {}): Logger {
  const shown =
    destination ??
    (process.stdout.isTTY ? pretty({ sync: true, ignore: 'pid,hostname' }) : pino.destination(1))
  const stream = {
    write(line: string) {
      shown.write(line)
      for (const tap of taps) tap(line)
    },
  }
  const options = {
    level,
    redact: {
      paths: [
        'password',
        '*.password',
        'token',
        '*.token',
        'accessToken',
        '*.accessToken',
        '*.authorization',
        '*.*.authorization',
      ],
      censor: '[redacted]',
    },
    hooks: { streamWrite: redact },
    ...(mixin && { mixin }),
  }
  return pino(options, stream)
}
