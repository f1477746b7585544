import type { Logger } from 'pino'
import type { Trace } from '../domain/batch.ts'
import { CodedError } from '../domain/errors.ts'
import type { Intake, Outcome, Packet } from '../ports/intake.ts'
import type { Tracer } from '../ports/trace.ts'
import type { Children } from './children.ts'
import type { Child, Decoded } from './codecs/codec.ts'
import { decode, refuseWhole } from './codecs/native.ts'
import type { Group } from './group.ts'
import { toRefusal } from './refuse.ts'
import type { IngestSettings } from './settings.ts'

interface AcceptDeps {
  readonly group: Group
  readonly children: Children
  readonly log: Logger
  readonly settings: IngestSettings
  readonly tracer?: Tracer | undefined
}

// A packet beyond the limit was nobody's honest reading: its beginning is enough to recognise it by.
const OVERSIZED_BYTES_KEPT = 65_536

/** The intake, and how to make it take nothing new. */
export function createIntake(deps: AcceptDeps): Intake & { stop(): void } {
  let stopped = false

  // Not async: most packets of a turn share one promise, and nothing else is made for them.
  function accept(packet: Packet): Promise<Outcome> {
    if (stopped) return stopping()
    const room = deps.group.room()
    return room === undefined ? take(packet) : room.then(() => accept(packet))
  }

  function take(packet: Packet, names = NO_NAMES): Promise<Outcome> {
    const decoded = decodePacket(deps, packet, names)
    return decoded.unknownChildren === undefined
      ? add(deps, packet, decoded)
      : takeAfterLookUp(packet, decoded.unknownChildren, names)
  }

  async function takeAfterLookUp(packet: Packet, missing: readonly string[], names: Names): Promise<Outcome> {
    const found = await deps.children.lookUp(packet.deviceId, missing)
    return stopped ? stopping() : take(packet, new Map([...names, ...found]))
  }

  return { accept, stop: () => void (stopped = true) }
}

function stopping(): Promise<Outcome> {
  return Promise.reject(new CodedError('service.unavailable', 'The intake is stopping.'))
}

type Names = ReadonlyMap<string, Child>
const NO_NAMES: Names = new Map()

function decodePacket({ children, log, settings }: AcceptDeps, packet: Packet, names: Names): Decoded {
  const { deviceId, isGateway, receivedAt, topic, payload } = packet
  if (payload.length > settings.payloadBytesMax)
    return refuseWhole('packet.tooLarge', `${payload.length} bytes, of which the beginning is kept`)
  try {
    return decode(topic, payload, {
      deviceId,
      isGateway,
      receivedAt,
      limits: settings,
      childNamed: isGateway ? (name) => names.get(name) ?? children.named(deviceId, name) : nobody,
    })
  } catch (error) {
    // A mistake of ours must not make the device send the same packet for ever: kept, it can be replayed once the codec is mended (P2).
    log.error({ err: error, deviceId, topic }, 'the codec failed')
    return refuseWhole('internal.unexpected', 'The codec failed.')
  }
}

function nobody(): undefined {
  return undefined
}

function add(deps: AcceptDeps, packet: Packet, decoded: Decoded): Promise<Outcome> {
  const { traceparent } = packet
  return traceparent === undefined
    ? addToGroup(deps, packet, decoded)
    : addTraced(deps, packet, decoded, traceparent)
}

async function addTraced(
  deps: AcceptDeps,
  packet: Packet,
  decoded: Decoded,
  parent: string,
): Promise<Outcome> {
  // Of a gateway's packet the first of those that it speaks for.
  const deviceId = decoded.readings[0]?.deviceId ?? packet.deviceId
  const span = deps.tracer?.follow('accept', parent, { deviceId, readings: decoded.readings.length })
  try {
    const traceparent = span?.traceparent ?? parent
    const outcome = await addToGroup(deps, packet, decoded, { deviceId, traceparent })
    span?.end()
    return outcome
  } catch (error) {
    span?.end(error)
    throw error
  }
}

function addToGroup(
  { group, settings }: AcceptDeps,
  packet: Packet,
  decoded: Decoded,
  trace?: Trace,
): Promise<Outcome> {
  const { length } = packet.payload
  const kept = length > settings.payloadBytesMax ? OVERSIZED_BYTES_KEPT : length
  const refusal = decoded.refused.length > 0 ? toRefusal(packet, decoded.refused, kept) : undefined
  return group.add(decoded, refusal, length, trace)
}
