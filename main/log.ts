import pino, { type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'

/**
 * Structured logs: JSON lines, or readable ones on a terminal. Whatever carries a secret by its name is left out,
 * should it ever come near a log.
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const stream =
    destination ?? (process.stdout.isTTY ? pretty({ sync: true, ignore: 'pid,hostname' }) : undefined)
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
  }
  return stream ? pino(options, stream) : pino(options)
}
