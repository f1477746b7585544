import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { openHttpIntake, type HttpIntake } from '../../adapters/intake/http.ts'
import type { HttpIntakeLimits } from '../../adapters/intake/limits.ts'
import type { IngestDeps } from '../../ingest/index.ts'
import { buildHttp } from '../../main/http.ts'
import type { Intake, Packet } from '../../ports/intake.ts'
import { decodePackets } from '../../ports/intake-wire.ts'
import { NOW, packet, type World } from '../ingest/world.ts'
import { waitFor } from '../wait-for.ts'

/** What brokers and workers of a test share. */
export const TOKEN = 'shared-between-broker-and-ingest'

export interface Worker {
  readonly url: string
  readonly app: FastifyInstance
  /** Requests with packets that it was sent. */
  readonly requests: number
  /** As when its process is killed: every connection is cut, and nobody listens any more. */
  kill(): Promise<void>
}

/** A real ingest behind a real HTTP server. */
export async function startWorker(
  t: Test,
  world: World,
  change: Partial<IngestDeps> = {},
  port = 0,
): Promise<Worker> {
  const part = await world.ingest({ ...change, settings: { intakeToken: TOKEN, ...change.settings } })
  return serve(t, world, part, port)
}

type Served = Parameters<typeof buildHttp>[0]['parts'][number]

export async function serve(t: Test, world: World, part: Served, port: number): Promise<Worker> {
  const app = await buildHttp({ log: world.log, metrics: world.metrics, parts: [part] })
  let requests = 0
  app.addHook('preHandler', async ({ body }) => {
    if (Buffer.isBuffer(body) && decodePackets(body)?.length) requests++
  })
  await app.listen({ host: '127.0.0.1', port })
  const { port: listening } = app.server.address() as AddressInfo
  const kill = async () => {
    const closed = app.close()
    app.server.closeAllConnections()
    await closed
  }
  t.teardown(kill)
  return {
    url: `http://127.0.0.1:${listening}`,
    app,
    get requests() {
      return requests
    },
    kill,
  }
}

/** Times that suit a test on a busy machine; the defaults are for networks. */
export const QUICK: Partial<HttpIntakeLimits> = {
  timeoutMs: 1000,
  backOffMs: 20,
  backOffMsMax: 100,
  probeTimeoutMs: 1000,
}

export function connectTo(
  t: Test,
  world: World,
  workers: readonly { readonly url: string }[],
  limits: Partial<HttpIntakeLimits> = {},
  token = TOKEN,
): HttpIntake {
  const { log, metrics } = world
  const intake = openHttpIntake({ urls: workers.map(({ url }) => url), token, log, metrics, limits })
  t.teardown(() => intake.close())
  return intake
}

/** A worker that answers whatever the test wants. */
export async function startImpostor(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A way to a worker that can be cut without either side being told: bytes are taken and not passed on. */
export async function startProxy(t: Test, to: { url: string }) {
  const sockets = new Set<Socket>()
  const proxy = { url: '', swallowing: false }
  const pass = (from: Socket, into: Socket) => {
    sockets.add(from)
    from.on('data', (chunk) => proxy.swallowing || into.write(chunk))
    from.on('error', () => into.destroy())
    from.on('close', () => into.destroy())
  }
  const server = createTcpServer((client) => {
    const upstream = connect(Number(new URL(to.url).port), '127.0.0.1')
    pass(client, upstream)
    pass(upstream, client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return proxy
}

export const reading = (device: string, index: number): Packet =>
  packet(device, [{ ts: NOW - 1000 * index, values: { temperature: 4 } }])

/** Publishes until told to stop; each packet again until it is accepted, as a device would. */
export function publish(intake: Intake, device: string) {
  const accepted: number[] = []
  let rejected = 0
  const stopping = new AbortController()
  const run = async (lane: number) => {
    for (let index = lane; !stopping.signal.aborted; index += 10) {
      for (;;) {
        const taken = await intake.accept(reading(device, index)).then(
          () => true,
          () => false,
        )
        if (taken) break
        rejected++
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      accepted.push(index)
    }
  }
  const lanes = Array.from({ length: 10 }, (_, lane) => run(lane))
  return {
    accepted,
    get rejected() {
      return rejected
    },
    /** Waits for that many more acceptances. */
    more: (count: number) => {
      const from = accepted.length
      return waitFor(() => accepted.length >= from + count, `${count} more acceptances`)
    },
    async stop() {
      stopping.abort()
      await Promise.all(lanes)
    },
  }
}

export async function allStored(t: Test, world: World, device: string, accepted: readonly number[]) {
  await world.stored()
  const times = (await world.readings(device)).map(({ time }) => (NOW - time) / 1000)
  t.equal(new Set(times).size, times.length, 'none is there twice')
  const stored = new Set(times)
  t.same(
    accepted.filter((index) => !stored.has(index)),
    [],
    'every accepted reading is stored',
  )
}
