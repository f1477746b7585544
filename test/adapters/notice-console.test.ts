import { test } from 'tap'
import { openConsoleChannel } from '../../adapters/notice/console.ts'
import { exampleNotice, noticeContract } from '../contracts/notice.ts'

test('console: the promises of every channel', async (suite) => {
  noticeContract(
    suite,
    async () => {
      const ids: string[] = []
      const channel = openConsoleChannel(() => undefined)
      // The console shows people what is up, without ids: who sends knows them.
      const counting = {
        ...channel,
        send: async (notice: Parameters<typeof channel.send>[0]) => {
          await channel.send(notice)
          ids.push(notice.id)
        },
      }
      return { channel: counting, taken: () => ids, behave: undefined }
    },
    undefined,
  )
})

test('console: subject and text, and nothing that drives the terminal', async (t) => {
  const written: string[] = []
  const channel = openConsoleChannel((text) => void written.push(text))
  await channel.send(
    exampleNotice({ subject: 'Too warm\u001b[2J\r\nfake', text: 'Line one\nline two\u0007' }),
  )
  t.same(written, ['Too warm [2J \nfake\n\nLine one\nline two \n\n'])
})
