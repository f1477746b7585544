import { randomUUIDv7 } from 'node:crypto'
import type { Test } from 'tap'
import { NoticeError, type Notice, type NoticeChannel } from '../../ports/notice.ts'

/** What a channel needs to show what it does: a receiver whose behaviour and takings the suite can see. */
export interface NoticeBench {
  readonly channel: NoticeChannel
  /** Ids of the notices that the receiver has taken, in order. */
  taken(): readonly string[]
  /** From now on the receiver takes, refuses for now, refuses for ever, or says nothing; undefined where a channel cannot. */
  readonly behave: ((how: 'take' | 'refuse' | 'refuseForEver' | 'hang') => void) | undefined
}

export function exampleNotice(partial: Partial<Notice> = {}): Notice {
  return {
    id: randomUUIDv7(),
    createdAt: Date.now(),
    step: 'opened',
    subject: 'Too warm: Refrigerator 3, Puskesmas Cisarua, 11.4 °C',
    text: 'Refrigerator 3 at Puskesmas Cisarua is too warm.\nCheck the door.',
    html: '<p>Refrigerator 3 at Puskesmas Cisarua is too warm.<br>Check the door.</p>',
    short: 'Too warm: Refrigerator 3, Puskesmas Cisarua, 11.4 C',
    data: { breachId: 'b1', peak: 11.4 },
    recipient: undefined,
    ...partial,
  }
}

/** The promises of `ports/notice.ts`, for any channel. `recipient` is given to each notice. */
export function noticeContract(
  suite: Test,
  open: (t: Test) => Promise<NoticeBench>,
  recipient: string | undefined,
): void {
  const notice = () => exampleNotice({ recipient })

  suite.test('resolves when the receiver has taken it', async (t) => {
    const { channel, taken } = await open(t)
    const sent = notice()
    await channel.send(sent)
    t.same(taken(), [sent.id])
  })

  suite.test('the same notice again carries the same id', async (t) => {
    const { channel, taken } = await open(t)
    const sent = notice()
    await channel.send(sent)
    await channel.send(sent)
    t.same(taken(), [sent.id, sent.id])
  })

  suite.test('several at once', async (t) => {
    const { channel, taken } = await open(t)
    const all = Array.from({ length: 10 }, notice)
    await Promise.all(all.map((one) => channel.send(one)))
    t.same(taken().toSorted(), all.map((one) => one.id).toSorted())
  })

  suite.test('its name is stable and fits the database', async (t) => {
    const { channel } = await open(t)
    t.ok(channel.destination.length > 0 && channel.destination.length <= 200)
    t.match(channel.kind, /^[a-z]{1,20}$/)
  })

  suite.test('a refusal for now is not permanent, one for ever is, silence ends in time', async (t) => {
    const { channel, behave, taken } = await open(t)
    if (!behave) return t.pass('it has no receiver that could refuse')
    behave('refuse')
    t.equal((await failure(channel, notice())).permanent, false)
    behave('refuseForEver')
    t.equal((await failure(channel, notice())).permanent, true)
    behave('hang')
    const startedAt = Date.now()
    t.equal((await failure(channel, notice())).permanent, false)
    t.ok(Date.now() - startedAt < 5_000, 'bounded in time')
    behave('take')
    const last = notice()
    await channel.send(last)
    t.same(taken(), [last.id], 'and it works again')
  })
}

/** The error of a send that must fail. */
export async function failure(channel: NoticeChannel, notice: Notice): Promise<NoticeError> {
  try {
    await channel.send(notice)
  } catch (error) {
    if (error instanceof NoticeError) return error
    throw error
  }
  throw new Error('it was taken')
}
