import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { pino } from 'pino'
import type { Test } from 'tap'
import { openNoticeChannels } from '../../adapters/notice/open.ts'
import type { NoticeChannel } from '../../ports/notice.ts'
import { exampleNotice, failure } from '../contracts/notice.ts'

export interface Request {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export const TIMEOUT_MS = 1_000

/** An HTTP server that answers as the test says, and keeps what it was sent and what it has taken with 2xx. */
export async function createHttpReceiver(t: Test) {
  const sent: Request[] = []
  const taken: Request[] = []
  const receiver = {
    sent,
    taken,
    host: '',
    answer: (response: ServerResponse) => void response.writeHead(204).end(),
  }
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray())
    const { method = '', url = '', headers } = request
    sent.push({ method, url, headers, body })
    response.on('finish', () => {
      if (response.statusCode < 300) taken.push({ method, url, headers, body })
    })
    receiver.answer(response)
  }
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  receiver.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return receiver
}

export function openChannel(url: string, timeoutMs = TIMEOUT_MS): NoticeChannel {
  const [channel] = openNoticeChannels(url, { log: pino({ level: 'silent' }), timeoutMs })
  if (!channel) throw new Error('no channel')
  return channel
}

export const answering =
  (status: number, body = '') =>
  (response: ServerResponse) =>
    void response.writeHead(status).end(body)

/** What any receiver can do wrong: none of it is permanent, and all of it is over in time. */
export async function misbehave(
  t: Test,
  open: (host: string) => NoticeChannel,
  recipient: string,
): Promise<void> {
  const receiver = await createHttpReceiver(t)
  const channel = open(receiver.host)
  const fails = async (what: string) => {
    const begun = Date.now()
    t.equal((await failure(channel, exampleNotice({ recipient }))).permanent, false, what)
    t.ok(Date.now() - begun < TIMEOUT_MS + 2_000, `${what}: in time`)
  }
  for (const status of [401, 408, 429, 500, 502, 503]) {
    receiver.answer = answering(status, '<html>')
    await fails(String(status))
  }
  const elsewhere = await createHttpReceiver(t)
  receiver.answer = (response) =>
    void response.writeHead(307, { location: `http://${elsewhere.host}/` }).end()
  await fails('a redirect')
  t.equal(elsewhere.sent.length, 0, 'which is not followed')
  receiver.answer = () => undefined
  await fails('silence')
  receiver.answer = (response) => {
    response.writeHead(500)
    const more = setInterval(() => response.write('x'.repeat(65_536)), 1)
    response.on('close', () => clearInterval(more))
  }
  await fails('an answer without an end')
  receiver.answer = (response) => void response.destroy()
  await fails('a broken connection')
  const raw = await createNonsense(t)
  const nonsense = open(raw.host)
  t.equal((await failure(nonsense, exampleNotice({ recipient }))).permanent, false, 'no HTTP at all')
  raw.server.close()
  for (const socket of raw.sockets) socket.destroy()
  t.equal((await failure(nonsense, exampleNotice({ recipient }))).permanent, false, 'nobody there')
  receiver.answer = answering(200, '{"ok":true}')
  await channel.send(exampleNotice({ recipient }))
  t.pass('and it works again')
}

async function createNonsense(t: Test) {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.end('HELLO WHO IS THERE\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { server, sockets, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}
