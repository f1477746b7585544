import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { CodedError } from '../domain/errors.ts'
import type { Intake, Outcome, Packet } from '../ports/intake.ts'
import {
  decodePackets,
  encodeAnswers,
  INTAKE_CONTENT_TYPE,
  INTAKE_PATH,
  type Answer,
} from '../ports/intake-wire.ts'
import type { IngestSettings } from './settings.ts'

interface IntakeRoutesDeps {
  readonly intake: Intake
  readonly log: Logger
  readonly settings: IngestSettings
}

/**
 * Takes packets from brokers in other processes, which have authenticated the devices. Answers when each packet is durable, or refused and kept,
 * or has failed. The format is that of `ports/intake-wire.ts`.
 */
export function intakeRoutes(deps: IntakeRoutesDeps): FastifyPluginAsync {
  const { intakeToken, intakeBodyBytesMax } = deps.settings
  const isOurs = compareWith(intakeToken)
  return async (app) => {
    const held = holdBodies(deps.settings)
    app.decorateRequest('taking', null)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(INTAKE_CONTENT_TYPE, { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    app.post(
      INTAKE_PATH,
      {
        schema: { hide: true },
        bodyLimit: intakeBodyBytesMax,
        // Before the body is read, so that neither a stranger nor too many brokers at once can fill the memory.
        onRequest: async (request, reply) => {
          if (!isOurs(request.headers.authorization)) throw new CodedError('auth.required')
          held.hold(request, reply)
        },
      },
      async (request, reply) => {
        const answers = takeAll(deps, packetsOf(request.body, deps.settings))
        request.setDecorator('taking', answers)
        return reply.type('application/json').send(encodeAnswers(await answers))
      },
    )
  }
}

/** Digests have one length, as `timingSafeEqual` wants it, and tell nothing of the length of the token. */
function compareWith(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(`Bearer ${token}`)
  return (authorization = '') => token !== '' && timingSafeEqual(digest(authorization), expected)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Counts the bytes of bodies whose packets are not all answered. A broker that has given up waiting does not take its packets back. */
function holdBodies({ intakeBodyBytesMax, intakeHeldBytesMax }: IngestSettings) {
  let heldBytes = 0
  return {
    /** @throws CodedError `service.unavailable` when there is no room */
    hold(request: FastifyRequest, reply: FastifyReply): void {
      const announced = Number(request.headers['content-length'] ?? intakeBodyBytesMax)
      const bytes = Math.min(announced, intakeBodyBytesMax)
      if (heldBytes > 0 && heldBytes + bytes > intakeHeldBytesMax)
        throw new CodedError('service.unavailable', 'The intake holds as many packets as it may.')
      heldBytes += bytes
      reply.raw.once('close', () => {
        const taking = request.getDecorator<Promise<unknown> | null>('taking')
        void Promise.resolve(taking).then(() => (heldBytes -= bytes))
      })
    },
  }
}

function packetsOf(body: unknown, { intakePacketsMax }: IngestSettings): Packet[] {
  const packets = Buffer.isBuffer(body) ? decodePackets(body) : undefined
  if (packets === undefined) throw new CodedError('request.malformed')
  if (packets.length > intakePacketsMax) throw new CodedError('request.tooLarge')
  return packets
}

/** Never rejects: what becomes of one packet is no matter of the others. */
async function takeAll({ intake, log }: IntakeRoutesDeps, packets: readonly Packet[]): Promise<Answer[]> {
  const outcomes = packets.map((packet) => accept(intake, packet))
  // Packets that fare alike share a promise, and so there are few of them.
  const answers = new Map<Promise<Outcome>, Answer>()
  let unexpected: unknown
  const failed = (error: unknown): Answer => {
    if (error instanceof CodedError) return { failed: error.code, detail: error.detail }
    unexpected = error
    return { failed: 'internal.unexpected' }
  }
  const settling = [...new Set(outcomes)].map(async (one) => {
    answers.set(one, await one.catch(failed))
  })
  await Promise.all(settling)
  // One line for all of them: they fail together, of one cause.
  if (unexpected !== undefined) log.error({ err: unexpected }, 'packets could not be taken')
  return outcomes.map((one) => answers.get(one) ?? { failed: 'internal.unexpected' })
}

// A mistake of ours in one packet is no matter of the others either.
function accept(intake: Intake, packet: Packet): Promise<Outcome> {
  try {
    return intake.accept(packet)
  } catch (error) {
    return Promise.reject(error)
  }
}
