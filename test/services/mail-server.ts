import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Test } from 'tap'

export const PASSWORD = 'correct-horse'

const refusal = (code: number) => Object.assign(new Error('no, thank you'), { responseCode: code })

/** A mail server: takes mail, refuses it with a reply, or never answers. */
export async function createMailServer(t: Test, options: SMTPServerOptions = {}) {
  const mails: { readonly raw: string; readonly to: readonly string[] }[] = []
  const state: { reply: number | 'hang' } = { reply: 250 }
  const server = new SMTPServer({
    authOptional: true,
    // Its own certificate would have to be trusted first; what needs TLS is tested apart.
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) =>
      password === PASSWORD ? done(null, { user: 'u' }) : done(refusal(535)),
    onRcptTo(_address, _session, done) {
      if (state.reply === 'hang') return
      done(state.reply === 250 ? null : refusal(state.reply))
    },
    async onData(stream, session, done) {
      const raw = Buffer.concat(await stream.toArray()).toString()
      mails.push({ raw, to: session.envelope.rcptTo.map((address) => address.address) })
      done()
    },
    ...options,
  })
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const port = (server.server.address() as AddressInfo).port
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { mails, state, port }
}
