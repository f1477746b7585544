import { test } from 'tap'
import { NoticeUrlError } from '../../adapters/notice/open.ts'
import { exampleNotice, failure, noticeContract } from '../contracts/notice.ts'
import { answering, createHttpReceiver, misbehave, openChannel } from './notice-receiver.ts'

const PHONE = '+6281234567890'
const how = (parts: Record<string, string>) =>
  Object.entries(parts)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')

test('sms: the promises of every channel', async (suite) => {
  noticeContract(
    suite,
    async (t) => {
      const receiver = await createHttpReceiver(t)
      return {
        channel: openChannel(`sms+http://${receiver.host}/?id={id}&to={to}#permanent=422`),
        taken: () => receiver.taken.map(({ url }) => new URLSearchParams(url.slice(2)).get('id') ?? ''),
        behave: (what) => {
          const answers = { take: 200, refuse: 503, refuseForEver: 422 }
          receiver.answer = what === 'hang' ? () => undefined : answering(answers[what])
        },
      }
    },
    PHONE,
  )
})

test('sms: a GET with number and short text in the address', async (t) => {
  const receiver = await createHttpReceiver(t)
  const channel = openChannel(`sms+http://ada:p%40ss@${receiver.host}/send?to={digits}&text={text}&key=k`)
  const short = 'Too warm: A&B #3, 50% full?'
  await channel.send(exampleNotice({ recipient: PHONE, short }))
  const [request] = receiver.sent
  const query = new URL(`http://x${request?.url ?? ''}`).searchParams
  t.equal(request?.method, 'GET')
  t.same(
    [...query],
    [
      ['to', PHONE.slice(1)],
      ['text', short],
      ['key', 'k'],
    ],
  )
  t.equal(request?.headers['authorization'], `Basic ${Buffer.from('ada:p@ss').toString('base64')}`)
  t.equal(channel.kind, 'sms')
  t.match(
    channel.destination,
    new RegExp(`^sms\\+http://${receiver.host}/#[0-9a-f]{12}$`),
    'no secrets in its name',
  )
})

test('whatsapp: a POST of JSON with a token, and no name in it can say anything of its own', async (t) => {
  const receiver = await createHttpReceiver(t)
  const body = '{"to":"{to}","text":{"body":"{text}"},"ref":"{id}"}'
  const channel = openChannel(
    `whatsapp+http://${receiver.host}/v1/messages#${how({ body, header: 'Authorization: Bearer t0ken' })}`,
  )
  const text = 'Quote " and \\ and {to}\nnext line'
  const notice = exampleNotice({ recipient: PHONE, text })
  await channel.send(notice)
  const [request] = receiver.sent
  t.equal(request?.method, 'POST')
  t.same(JSON.parse(String(request?.body)), { to: PHONE, text: { body: text }, ref: notice.id })
  t.equal(request?.headers['authorization'], 'Bearer t0ken')
  t.equal(request?.headers['content-type'], 'application/json')
  t.notOk(channel.destination.includes('t0ken'))
})

test('sms: bodies as forms and as XML', async (t) => {
  const receiver = await createHttpReceiver(t)
  const short = 'A&B <c> "d"'
  const send = async (parts: Record<string, string>) => {
    await openChannel(`sms+http://${receiver.host}/#${how(parts)}`).send(
      exampleNotice({ recipient: PHONE, short }),
    )
    return receiver.sent.at(-1)?.body.toString() ?? ''
  }
  t.same(Object.fromEntries(new URLSearchParams(await send({ body: 'to={to}&text={text}' }))), {
    to: PHONE,
    text: short,
  })
  const xml = await send({ body: '<sms to="{to}">{text}</sms>', type: 'text/xml', method: 'put' })
  t.equal(xml, `<sms to="${PHONE}">A&#38;B &#60;c&#62; &#34;d&#34;</sms>`)
  t.equal(receiver.sent.at(-1)?.method, 'PUT')
})

test('sms: what counts as a success, and what never will', async (t) => {
  const receiver = await createHttpReceiver(t)
  const options = how({ ok: '"status":"0"', permanent: 'invalid number' })
  const channel = openChannel(`sms+http://${receiver.host}/?to={to}#${options}&permanent=404`)
  const fail = async (status: number, body: string) => {
    receiver.answer = answering(status, body)
    return (await failure(channel, exampleNotice({ recipient: PHONE }))).permanent
  }
  t.equal(await fail(200, '{"status":"1","text":"no credit"}'), false)
  t.equal(await fail(200, '{"status":"2","text":"invalid number"}'), true)
  t.equal(await fail(400, 'invalid number'), true)
  t.equal(await fail(400, 'bad request'), false)
  t.equal(await fail(404, ''), true)
  t.equal(
    await fail(200, `${'x'.repeat(200_000)}"status":"0"`),
    false,
    'an answer is read so far and no further',
  )
  receiver.answer = answering(200, '{"status":"0"}')
  await channel.send(exampleNotice({ recipient: PHONE }))
})

test('sms: slow, down, redirected, nonsense', (t) =>
  misbehave(t, (host) => openChannel(`sms+http://${host}/?to={to}`), PHONE))

test('sms: what is no phone number is never asked for', async (t) => {
  const receiver = await createHttpReceiver(t)
  const channel = openChannel(`sms+http://${receiver.host}/?to={to}`)
  for (const recipient of ['0812', '+0', '+62 812', 'a@b.org', '', undefined])
    t.equal((await failure(channel, exampleNotice({ recipient }))).permanent, true)
  t.equal(receiver.sent.length, 0)
})

test('sms: what is wrong with an entry is said, and its content is not', async (t) => {
  for (const [entry, problem] of [
    ['sms+https://', /not an address/],
    ['sms+https://host/?text={text}', /\{to\}/],
    ['sms+https://host/?to={to}#colour=red', /only method/],
    ['sms+https://host/?to={to}#ok=%28', /regular/],
    ['sms+https://host/?to={to}#header=secret', /Name:value/],
    ['sms+https://%zz:x@host/?to={to}', /percent/],
    ['telegram://api.telegram.org', /token/],
    ['push:?subject=mailto:a@b.org', /private VAPID key/],
    ['push:?key=x', /subject/],
  ] as const) {
    try {
      openChannel(entry)
      t.fail(entry)
    } catch (error) {
      t.ok(error instanceof NoticeUrlError)
      t.match(String(error), problem)
      t.notOk(String(error).includes('secret:'))
    }
  }
})
