import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { SMTPServer } from 'smtp-server'
import { test, type Test } from 'tap'
import { openNoticeChannels } from '../../adapters/notice/open.ts'
import { createMailServer, PASSWORD } from '../services/mail-server.ts'
import { exampleNotice, failure, noticeContract } from '../contracts/notice.ts'

const log = pino({ level: 'silent' })

function open(t: Test, url: string, timeoutMs = 1_500) {
  const [channel] = openNoticeChannels(url, { log, timeoutMs })
  if (!channel) throw new Error('no channel')
  t.teardown(() => channel.close())
  return channel
}

const header = (raw: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'im').exec(raw)?.[1]?.replaceAll(/\r\n\s+/g, ' ')

test('smtp: the promises of every channel', async (suite) => {
  noticeContract(
    suite,
    async (t) => {
      const { mails, state, port } = await createMailServer(t)
      return {
        channel: open(t, `smtp://127.0.0.1:${port}?from=cold@example.org`),
        taken: () =>
          mails.map(({ raw }) => header(raw, 'message-id')?.replace(/^<(.*)@example.org>$/, '$1') ?? ''),
        behave: (how) => {
          const replies = { take: 250, refuse: 451, refuseForEver: 550, hang: 'hang' } as const
          state.reply = replies[how]
        },
      }
    },
    'ibu.sari@example.org',
  )
})

test('smtp: a mail that people can read and machines can sort', async (t) => {
  const { mails, port } = await createMailServer(t)
  const channel = open(t, `smtp://127.0.0.1:${port}?from=cold@example.org&to=team@example.org`)
  t.equal(channel.needsRecipient, false)
  const notice = exampleNotice()
  await channel.send(notice)
  const [mail] = mails
  if (!mail) throw new Error('no mail')
  t.same(mail.to, ['team@example.org'])
  t.equal(header(mail.raw, 'message-id'), `<${notice.id}@example.org>`)
  t.equal(header(mail.raw, 'references'), '<b1@example.org>')
  t.equal(header(mail.raw, 'auto-submitted'), 'auto-generated')
  t.match(mail.raw, /Check the door\./)
  t.match(header(mail.raw, 'content-type'), /^multipart\/alternative/)
  t.match(mail.raw, /Content-Type: text\/html; charset=utf-8[\s\S]*<br>Check the door/)
})

test('smtp: no name can add a header or a receiver', async (t) => {
  const { mails, port } = await createMailServer(t)
  const channel = open(t, `smtp://127.0.0.1:${port}?from=cold@example.org`)
  const subject = 'Too warm: x\r\nBcc: evil@example.org\r\n\r\nbody'
  await channel.send(exampleNotice({ subject, recipient: 'sari@example.org' }))
  t.same(mails[0]?.to, ['sari@example.org'])
  t.equal(header(mails[0]?.raw ?? '', 'bcc'), undefined)
  const recipients = [
    'a@b.org, evil@example.org',
    'a@b.org\r\nBcc: evil@example.org',
    '"x" <evil@example.org>',
    'nobody',
    '',
  ]
  for (const recipient of recipients)
    t.equal((await failure(channel, exampleNotice({ recipient }))).permanent, true, recipient)
  t.equal(mails.length, 1)
})

test('smtp: a wrong password is for the operator to mend, and is never repeated', async (t) => {
  const { mails, port } = await createMailServer(t)
  const bad = open(t, `smtp://u:wrong-horse@127.0.0.1:${port}?from=cold@example.org&to=a@example.org`)
  const error = await failure(bad, exampleNotice())
  t.equal(error.permanent, false)
  t.notOk(/horse/.test(`${error.message} ${error.stack} ${bad.destination}`))
  const good = open(t, `smtp://u:${PASSWORD}@127.0.0.1:${port}?from=cold@example.org&to=a@example.org`)
  await good.send(exampleNotice())
  t.equal(mails.length, 1)
})

test('smtp: no password over a network without TLS', async (t) => {
  let logins = 0
  const { mails, port } = await createMailServer(t, {
    onAuth(_auth, _session, done) {
      logins += 1
      done(null, { user: 'u' })
    },
  })
  // This machine by an address that does not look like it.
  const host = `[::ffff:127.0.0.1]:${port}`
  const channel = open(t, `smtp://u:${PASSWORD}@${host}?from=cold@example.org&to=a@example.org`)
  t.equal((await failure(channel, exampleNotice())).permanent, false)
  t.same([logins, mails.length], [0, 0])
  await open(t, `smtp://${host}?from=cold@example.org&to=a@example.org`).send(exampleNotice())
  t.equal(mails.length, 1, 'without a password it may')
})

test('smtp: a server that is down is tried again', async (t) => {
  const first = new SMTPServer({ disabledCommands: ['STARTTLS'], authOptional: true })
  first.listen(0, '127.0.0.1')
  await once(first.server, 'listening')
  const port = (first.server.address() as AddressInfo).port
  await new Promise<void>((resolve) => first.close(() => resolve()))
  const channel = open(t, `smtp://127.0.0.1:${port}?from=cold@example.org&to=a@example.org`)
  t.equal((await failure(channel, exampleNotice())).permanent, false)
})
