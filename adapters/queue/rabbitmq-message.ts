import { randomUUIDv7 } from 'node:crypto'
import type { ConsumeMessage, GetMessage, Options } from 'amqplib'
import type { Batch } from '../../domain/batch.ts'
import { packReadings, unpackReadings } from './rabbitmq-readings.ts'
import { partitionOf } from './rabbitmq-topology.ts'

/** A message for RabbitMQ, before it has a number. */
export interface Outgoing {
  readonly body: Buffer
  readonly options: Options.Publish
}

const ATTEMPTS = 'coldstream-attempts'
const PARKED_AT = 'coldstream-parked-at'
const ERROR = 'coldstream-error'
const ERROR_CHARACTERS_MAX = 500

/**
 * A batch as a message: CloudEvents 1.0 in binary mode (attributes as headers `ce-*`), the batch in JSON as its body, with its readings packed.
 * @param id of the message: one batch may become several
 * @throws when a number or time in it is none
 */
export function encode(batch: Batch, id: string): Outgoing {
  return {
    body: Buffer.from(JSON.stringify({ ...batch, readings: packReadings(batch.readings) })),
    options: {
      persistent: true,
      mandatory: true,
      contentType: 'application/json',
      messageId: id,
      headers: {
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': '/coldstream/ingest',
        'ce-type': 'org.coldstream.batch.v2',
        'ce-time': new Date(batch.acceptedAt).toISOString(),
      },
    },
  }
}

/** The parts of a batch by partition of their devices. They keep the id of the batch. */
export function split(batch: Batch, partitions: number): Map<number, Batch> {
  const parts = new Map<number, Record<(typeof LISTS)[number], unknown[]>>()
  let lastDevice: string | undefined
  let last = 0
  for (const key of LISTS)
    for (const item of batch[key] ?? []) {
      // Readings of a device come in runs.
      if (item.deviceId !== lastDevice) last = partitionOf((lastDevice = item.deviceId), partitions)
      let part = parts.get(last)
      if (part === undefined)
        parts.set(last, (part = { readings: [], refusals: [], attributes: [], traces: [] }))
      part[key].push(item)
    }
  if (parts.size === 0) return new Map([[0, batch]])
  return new Map([...parts].map(([partition, part]) => [partition, partOf(batch, part)]))
}

const LISTS = ['readings', 'refusals', 'attributes', 'traces'] as const

function partOf(batch: Batch, { traces, ...part }: Record<(typeof LISTS)[number], unknown[]>): Batch {
  const { traces: _all, ...rest } = batch
  return { ...rest, ...part, ...(traces.length > 0 && { traces }) } as Batch
}

/** Undefined when it is none: somebody else has published it. */
export function decode({ content }: Pick<ConsumeMessage, 'content'>): Batch | undefined {
  try {
    const body: unknown = JSON.parse(content.toString('utf8'))
    if (typeof body !== 'object' || body === null) return undefined
    const { readings, ...rest } = body as { readonly readings?: unknown }
    const batch = { ...rest, readings: unpackReadings(readings) }
    return isBatch(batch) ? batch : undefined
  } catch {
    return undefined
  }
}

function isBatch(value: object): value is Batch {
  const batch = value as Partial<Record<keyof Batch, unknown>>
  const lists = [batch.readings, batch.refusals, batch.attributes]
  return typeof batch.id === 'string' && Number.isFinite(batch.acceptedAt) && lists.every(Array.isArray)
}

/** Without parsing the body. 0, which holds everything back, when the message does not say. */
export function acceptedAtOf({ properties }: Pick<ConsumeMessage, 'properties'>): number {
  return Date.parse(String(properties.headers?.['ce-time'])) || 0
}

/** Tries that have failed so far. */
export function attemptsOf({ properties }: Pick<ConsumeMessage, 'properties'>): number {
  const attempts: unknown = properties.headers?.[ATTEMPTS]
  return typeof attempts === 'number' && attempts >= 0 ? Math.trunc(attempts) : 0
}

/** The same message for another try. */
export function again({ content, properties }: ConsumeMessage | GetMessage, attempts: number): Outgoing {
  // Headers that RabbitMQ added stay out of it: they would grow with each round.
  const kept = Object.entries(properties.headers ?? {}).filter(([name]) => name.startsWith('ce-'))
  return {
    body: content,
    options: {
      persistent: true,
      mandatory: true,
      contentType: 'application/json',
      // Of another publisher it may have none; parked ones are known by it.
      messageId: String(properties.messageId || randomUUIDv7()),
      headers: { ...Object.fromEntries(kept), [ATTEMPTS]: attempts },
    },
  }
}

/** The same message for the parking queue. */
export function parkedOf(message: ConsumeMessage, attempts: number, error: string): Outgoing {
  const { body, options } = again(message, attempts)
  const because = { [PARKED_AT]: Date.now(), [ERROR]: error.slice(0, ERROR_CHARACTERS_MAX) }
  return { body, options: { ...options, headers: { ...options.headers, ...because } } }
}

/** Why and when a message was parked: by us, or by RabbitMQ, which had delivered it too often. */
export function reasonOf({ properties: { headers } }: GetMessage): { parkedAt: number; error: string } {
  const [parkedAt, error]: unknown[] = [headers?.[PARKED_AT], headers?.[ERROR]]
  if (typeof parkedAt === 'number') return { parkedAt, error: String(error) }
  const seconds: unknown = headers?.['x-death']?.[0]?.time.value
  return {
    parkedAt: typeof seconds === 'number' ? seconds * 1000 : 0,
    error: 'delivered too often without an answer: each time the consumer crashed, or lost its connection',
  }
}
