import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { ServerResponse } from 'node:http'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { test } from 'tap'
import { openNoticeChannels } from '../../adapters/notice/open.ts'
import type { NoticeChannel } from '../../ports/notice.ts'
import { exampleNotice, failure, noticeContract } from '../contracts/notice.ts'
import { createReceiver, SECRET } from '../notifier/tell-world.ts'

const OTHER_SECRET = `whsec_${Buffer.from('another key of 32 bytes, for now').toString('base64')}`
const log = pino({ level: 'silent' })

function open(url: string, timeoutMs = 1_500): NoticeChannel {
  const [channel] = openNoticeChannels(url, { log, timeoutMs })
  if (!channel) throw new Error('no channel')
  return channel
}

const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end()

test('webhook: the promises of every channel', async (suite) => {
  noticeContract(
    suite,
    async (t) => {
      const receiver = await createReceiver(t)
      return {
        channel: open(`${receiver.url}/hook?secret=${SECRET}`),
        taken: () => receiver.taken.map(({ headers }) => headers['webhook-id'] ?? ''),
        behave: (how) => {
          const answers = { take: 204, refuse: 503, refuseForEver: 410 }
          receiver.answer = how === 'hang' ? () => undefined : status(answers[how])
        },
      }
    },
    undefined,
  )
})

test('webhook: signed as Standard Webhooks, with the secret nowhere in the request', async (t) => {
  const receiver = await createReceiver(t)
  const channel = open(`${receiver.url}/hook?secret=${SECRET}&secret=${OTHER_SECRET}&room=7`)
  const notice = exampleNotice()
  await channel.send(notice)
  const [request] = receiver.sent
  if (!request) throw new Error('nothing came')
  for (const secret of [SECRET, OTHER_SECRET])
    t.same(new Webhook(secret).verify(request.body, request.headers), request.json)
  t.throws(
    () => new Webhook(SECRET).verify(`${request.body} `, request.headers),
    'a changed body is not believed',
  )
  t.equal(request.headers['webhook-id'], notice.id)
  t.equal(request.url, '/hook?room=7')
  t.match(request.json, {
    type: 'breach.opened',
    timestamp: new Date(notice.createdAt).toISOString(),
    data: { ...notice.data, subject: notice.subject, text: notice.text },
  })
  t.notOk(JSON.stringify(request).includes(SECRET.slice(6)))
  t.notOk(channel.destination.includes('hook') || channel.destination.includes('whsec'))
})

test('webhook: user and password go into a header, not into the name', async (t) => {
  const receiver = await createReceiver(t)
  const url = receiver.url.replace('http://', 'http://ada:p%40ss@')
  const channel = open(`${url}/?secret=${SECRET}`)
  await channel.send(exampleNotice())
  t.equal(receiver.sent[0]?.headers['authorization'], `Basic ${Buffer.from('ada:p@ss').toString('base64')}`)
  t.notOk(/ada|p%40ss|p@ss/.test(channel.destination))
})

test('webhook: only 410 is permanent, redirects are not followed', async (t) => {
  const receiver = await createReceiver(t)
  const channel = open(`${receiver.url}/hook?secret=${SECRET}`)
  for (const code of [400, 401, 403, 404, 408, 422, 429, 500, 502, 503]) {
    receiver.answer = status(code)
    const error = await failure(channel, exampleNotice())
    t.equal(error.permanent, false, `${code}`)
    t.match(error.message, String(code))
  }
  receiver.answer = (response) => void response.writeHead(307, { location: `${receiver.url}/else` }).end()
  const before = receiver.sent.length
  t.match((await failure(channel, exampleNotice())).message, /redirects are not followed/)
  t.equal(receiver.sent.length, before + 1)
})

test('webhook: an answer without end is not waited for', async (t) => {
  const receiver = await createReceiver(t)
  receiver.answer = (response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'.repeat(1_000)), 1)
    response.on('close', () => clearInterval(timer))
  }
  await open(`${receiver.url}/?secret=${SECRET}`).send(exampleNotice())
})

test('webhook: nonsense, a closed port and a closed connection are tried again, and say no address', async (t) => {
  const server = createServer(
    (socket) =>
      void socket
        .on('error', () => undefined)
        .resume()
        .end('nonsense\r\n\r\n'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = (server.address() as AddressInfo).port
  const channel = open(`http://127.0.0.1:${port}/token-in-path?secret=${SECRET}`)
  const nonsense = await failure(channel, exampleNotice())
  server.close()
  await once(server, 'close')
  const closed = await failure(channel, exampleNotice())
  for (const error of [nonsense, closed]) {
    t.equal(error.permanent, false)
    t.notOk(/token-in-path|whsec/.test(`${error.message} ${error.stack}`))
  }
  t.match(closed.message, 'ECONNREFUSED')
})
