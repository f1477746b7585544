import { test } from 'tap'
import { exampleNotice, failure, noticeContract } from '../contracts/notice.ts'
import { answering, createHttpReceiver, misbehave, openChannel } from './notice-receiver.ts'

const TOKEN = '123456:AAbbCCddEEffGGhhIIjj_kk-ll'
const CHAT = '-1001234567'
const OK = '{"ok":true,"result":{"message_id":1}}'

test('telegram: the promises of every channel', async (suite) => {
  noticeContract(
    suite,
    async (t) => {
      const receiver = await createHttpReceiver(t)
      receiver.answer = answering(200, OK)
      return {
        channel: openChannel(`telegram+http://${TOKEN}@${receiver.host}`),
        // The Bot API takes no id of ours: the texts of the suite are told apart by what it puts in.
        taken: () => receiver.taken.map(({ body }) => /id-([\w-]+)/.exec(String(body))?.[1] ?? ''),
        behave: (what) => {
          const answers = {
            take: answering(200, OK),
            refuse: answering(
              429,
              '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5"}',
            ),
            refuseForEver: answering(
              403,
              '{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}',
            ),
            hang: () => undefined,
          }
          receiver.answer = answers[what]
        },
      }
    },
    CHAT,
    (notice) => ({ ...notice, text: `id-${notice.id}` }),
  )
})

test('telegram: what the Bot API is asked', async (t) => {
  const receiver = await createHttpReceiver(t)
  receiver.answer = answering(200, OK)
  const channel = openChannel(`telegram+http://${TOKEN}@${receiver.host}`)
  const notice = exampleNotice({ recipient: CHAT, text: 'x'.repeat(5_000) })
  await channel.send(notice)
  const [request] = receiver.sent
  t.equal(request?.url, `/bot${TOKEN}/sendMessage`)
  const body = JSON.parse(String(request?.body)) as { chat_id: string; text: string }
  t.equal(body.chat_id, CHAT)
  t.ok(body.text.startsWith(`${notice.subject}\n\nxxx`) && body.text.length === 4096)
  t.notOk(channel.destination.includes('AAbb'))
})

test('telegram: which answers are permanent, and none of them tells the token', async (t) => {
  const receiver = await createHttpReceiver(t)
  const channel = openChannel(`telegram+http://${TOKEN}@${receiver.host}`)
  for (const [status, description, isPermanent] of [
    [400, 'Bad Request: chat not found', true],
    [403, 'Forbidden: bot was blocked by the user', true],
    [401, 'Unauthorized', false],
    [404, 'Not Found', false],
  ] as const) {
    receiver.answer = answering(status, JSON.stringify({ ok: false, error_code: status, description }))
    const error = await failure(channel, exampleNotice({ recipient: CHAT }))
    t.equal(error.permanent, isPermanent, description)
    t.equal(error.message, `HTTP ${status}: ${description}`)
  }
  receiver.answer = answering(400, '<html>Bad Request</html>')
  t.equal(
    (await failure(channel, exampleNotice({ recipient: CHAT }))).permanent,
    false,
    'a proxy that says 400',
  )
  receiver.answer = answering(200, '<html>Log in to the network</html>')
  t.equal((await failure(channel, exampleNotice({ recipient: CHAT }))).permanent, false, 'a captive portal')
  for (const recipient of ['me', '12 3', 'https://t.me/x', undefined])
    t.equal((await failure(channel, exampleNotice({ recipient }))).permanent, true)
})

test('telegram: slow, down, redirected, nonsense', (t) =>
  misbehave(t, (host) => openChannel(`telegram+http://${TOKEN}@${host}`), CHAT))
