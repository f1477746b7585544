import { pino } from 'pino'
import { test } from 'tap'
import { NoticeUrlError, openNoticeChannels } from '../../adapters/notice/open.ts'
import { SECRET } from '../notifier/tell-world.ts'

const log = pino({ level: 'silent' })

function problemsOf(urls: string): readonly string[] {
  try {
    openNoticeChannels(urls, { log })
  } catch (error) {
    if (error instanceof NoticeUrlError) return error.problems
    throw error
  }
  return []
}

test('NOTICE_URLS: nothing, one, several, separated by commas or white space', async (t) => {
  t.same(openNoticeChannels('', { log }), [])
  const channels = openNoticeChannels(
    `console:, https://one.example/x?secret=${SECRET}\nhttps://two.example/x?secret=${SECRET} ` +
      'smtps://u:p@mail.example?from=a@b.org&to=c@d.org,smtp://mail.example:25?from=a@b.org',
    { log },
  )
  t.same(
    channels.map((channel) => [channel.kind, channel.needsRecipient]),
    [
      ['console', false],
      ['webhook', false],
      ['webhook', false],
      ['smtp', false],
      ['smtp', true],
    ],
  )
  t.same(
    channels.map((channel) => channel.destination.replace(/#.*/, '#')),
    [
      'console',
      'https://one.example/#',
      'https://two.example/#',
      'smtps://mail.example:465?to=c@d.org',
      'smtp://mail.example:25',
    ],
  )
  await Promise.all(channels.map((channel) => channel.close()))
})

const name = (path: string, secret: string) =>
  openNoticeChannels(`https://one.example/${path}?secret=${secret}`, { log })[0]?.destination

test('NOTICE_URLS: a name stays the same when the secret changes, and differs by path', async (t) => {
  const other = `whsec_${Buffer.from('x'.repeat(24)).toString('base64')}`
  t.equal(name('a', SECRET), name('a', other))
  t.not(name('a', SECRET), name('b', SECRET))
})

test('NOTICE_URLS: every problem is told at once, by number and without content', async (t) => {
  const urls = [
    'ftp://password-1@host/',
    'https://host/password-2',
    'https://host/?secret=password-3',
    'smtp://u:password-4@host:587',
    'smtp://u:password-5@host:587?from=a@b&to=no',
    'smtp://u:password%6@host:587?from=a@b',
    'http://[password-7',
    'smtp://host?from=a@b&password-8=1',
    'console:',
    'console:',
  ]
  const problems = problemsOf(urls.join(' '))
  t.same(
    problems.map((problem) => problem.replace(/:.*/, '')),
    [1, 2, 3, 4, 5, 6, 7, 8, 10].map((n) => `NOTICE_URLS entry ${n}`),
  )
  t.notOk(problems.join(' ').includes('password-'))
})
