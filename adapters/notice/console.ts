import type { NoticeChannel } from '../../ports/notice.ts'

/** Control characters but for the line feed: a name must not be able to drive the terminal. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu

/**
 * Writes each notice as plain text. It has no receiver that could be down, so it never fails.
 * @param write where the text goes; each call is one whole notice
 */
export function openConsoleChannel(write: (text: string) => void): NoticeChannel {
  return {
    kind: 'console',
    destination: 'console',
    needsRecipient: false,
    async send(notice) {
      write(plain(`${notice.subject}\n\n${notice.text}\n\n`))
    },
    async close() {},
  }
}

function plain(text: string): string {
  return text.replace(CONTROL, (character) => (character === '\n' ? '\n' : ' '))
}
