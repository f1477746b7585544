import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  hkdfSync,
  randomBytes,
  verify,
  type ECDH,
} from 'node:crypto'
import { test } from 'tap'
import { pushPublicKeyOf } from '../../adapters/notice/open-people.ts'
import { encryptPush, newPrivateKey } from '../../adapters/notice/push-encryption.ts'
import { exampleNotice, failure, noticeContract } from '../contracts/notice.ts'
import { answering, createHttpReceiver, misbehave, openChannel, type Request } from './notice-receiver.ts'

const KEY = newPrivateKey().toString('base64url')
const SUBJECT = 'mailto:ops@example.org'
const urlFor = (host: string) => `push:?subject=${SUBJECT}&key=${KEY}&host=${host}`
const bytes = (text: string) => Buffer.from(text, 'base64url')

/** What a browser has, and what it does with a message: RFC 8291, from its side. */
function createBrowser() {
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  const auth = randomBytes(16)
  const recipientAt = (host: string) =>
    JSON.stringify({
      endpoint: `http://${host}/push/abc`,
      p256dh: ecdh.getPublicKey('base64url'),
      auth: auth.toString('base64url'),
    })
  return { recipientAt, read: (body: Buffer) => decrypt(body, ecdh, auth) }
}

function decrypt(body: Buffer, ecdh: ECDH, auth: Buffer): string {
  const salt = body.subarray(0, 16)
  const recordBytes = body.readUInt32BE(16)
  const keyLength = body[20] ?? 0
  const sender = body.subarray(21, 21 + keyLength)
  const record = body.subarray(21 + keyLength)
  if (record.length > recordBytes) throw new Error('more than one record')
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender])
  const secret = Buffer.from(hkdfSync('sha256', ecdh.computeSecret(sender), auth, info, 32))
  const derive = (name: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from(`Content-Encoding: ${name}\0`), length))
  const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
  decipher.setAuthTag(record.subarray(-16))
  const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
  const end = plain.lastIndexOf(2)
  return plain.subarray(0, end).toString()
}

/** What a push service checks before it takes a message (RFC 8292). */
function readVapid(request: Request | undefined) {
  const [, token = '', key = ''] =
    /^vapid t=([^,]+), k=(\S+)$/.exec(request?.headers['authorization'] ?? '') ?? []
  const [head = '', claims = '', signature = ''] = token.split('.')
  const [x, y] = [bytes(key).subarray(1, 33), bytes(key).subarray(33)].map((part) =>
    part.toString('base64url'),
  )
  const publicKey = createPublicKey({
    key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' },
    format: 'jwk',
  })
  const signed = Buffer.from(`${head}.${claims}`)
  const isSigned = verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes(signature))
  return {
    isSigned,
    key,
    claims: JSON.parse(String(bytes(claims))) as { aud: string; exp: number; sub: string },
  }
}

test('push: the example of RFC 8291, appendix A, byte by byte', async (t) => {
  const browser = {
    p256dh: bytes('BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'),
    auth: bytes('BTBZMqHH6r4Tts7J_aSIgg'),
  }
  const once = {
    privateKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'),
    salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
  }
  const text = Buffer.from('When I grow up, I want to be a watermelon')
  t.equal(
    encryptPush(text, browser, once).toString('base64url'),
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
})

test('push: the promises of every channel', async (suite) => {
  const browser = createBrowser()
  // The suite gives every notice one recipient before it has opened a receiver: the host is filled in by the way.
  noticeContract(
    suite,
    async (t) => {
      const receiver = await createHttpReceiver(t)
      receiver.answer = answering(201)
      const channel = openChannel(urlFor(receiver.host))
      return {
        channel: {
          ...channel,
          send: (notice) => channel.send({ ...notice, recipient: browser.recipientAt(receiver.host) }),
        },
        taken: () => receiver.taken.map(({ body }) => (JSON.parse(browser.read(body)) as { id: string }).id),
        behave: (what) => {
          const answers = { take: 201, refuse: 429, refuseForEver: 410 }
          receiver.answer = what === 'hang' ? () => undefined : answering(answers[what])
        },
      }
    },
    'browser',
  )
})

test('push: only the browser can read it, and the service knows who sends', async (t) => {
  const receiver = await createHttpReceiver(t)
  receiver.answer = answering(201)
  const browser = createBrowser()
  const channel = openChannel(urlFor(receiver.host))
  const notice = exampleNotice({ recipient: browser.recipientAt(receiver.host) })
  await channel.send(notice)
  const [request] = receiver.sent
  t.same(JSON.parse(browser.read(request?.body ?? Buffer.of())), {
    id: notice.id,
    step: 'opened',
    title: notice.subject,
    body: notice.short,
    breachId: 'b1',
  })
  t.notOk(request?.body.includes('Refrigerator'))
  t.throws(() => createBrowser().read(request?.body ?? Buffer.of()), 'another browser cannot')
  t.match(request?.headers, { 'content-encoding': 'aes128gcm', ttl: '86400', urgency: 'high' })
  const vapid = readVapid(request)
  t.ok(vapid.isSigned)
  t.equal(vapid.key, pushPublicKeyOf(`console: ${urlFor('x')}`), 'the key with which browsers subscribe')
  t.equal(vapid.claims.aud, `http://${receiver.host}`)
  t.equal(vapid.claims.sub, SUBJECT)
  const livesFor = vapid.claims.exp - Date.now() / 1000
  t.ok(livesFor > 0 && livesFor <= 86_400, 'no longer than a day')
})

test('push: a browser that is gone, a service that is not allowed, a key that is none', async (t) => {
  const receiver = await createHttpReceiver(t)
  const browser = createBrowser()
  const recipient = browser.recipientAt(receiver.host)
  const channel = openChannel(urlFor(receiver.host))
  for (const [status, isPermanent] of [
    [404, true],
    [410, true],
    [400, false],
    [403, false],
    [413, false],
  ] as const) {
    receiver.answer = answering(status)
    t.equal((await failure(channel, exampleNotice({ recipient }))).permanent, isPermanent, String(status))
  }
  const sent = receiver.sent.length
  const strict = openChannel(`push:?subject=${SUBJECT}&key=${KEY}`)
  t.match(await failure(strict, exampleNotice({ recipient })), { permanent: true, message: /not allowed/ })
  const evil = JSON.stringify({
    ...(JSON.parse(recipient) as object),
    endpoint: 'https://push.apple.com.evil.example/x',
  })
  t.equal((await failure(strict, exampleNotice({ recipient: evil }))).permanent, true)
  const wrongKey = JSON.stringify({ ...(JSON.parse(recipient) as object), p256dh: 'BBBB' })
  for (const one of [wrongKey, '{', '{}', undefined])
    t.equal((await failure(channel, exampleNotice({ recipient: one }))).permanent, true)
  t.equal(receiver.sent.length, sent)
})

test('push: slow, down, redirected, nonsense', (t) => {
  const browser = createBrowser()
  return misbehave(
    t,
    (host) => {
      const channel = openChannel(urlFor(host))
      return {
        ...channel,
        send: (notice) => channel.send({ ...notice, recipient: browser.recipientAt(host) }),
      }
    },
    'browser',
  )
})
