import { connect } from 'node:net'
import { generate } from 'mqtt-packet'

// Connections that stay and say nothing but their pings. Who is cut off comes back, as devices do; so many at once that the broker always has
// some to let in. Told {port, tokens} by its parent, and asked {count}, it says how many are connected.

interface Job {
  readonly port: number
  readonly tokens: readonly string[]
}

const CONNECTING_MAX = 250
const AGAIN_MS = 100
const KEEP_ALIVE_S = 60
const PING = generate({ cmd: 'pingreq' })
const CONNACK_BYTES = 4
const ACCEPTED = 0

let connected = 0
let connecting = 0
const waiting: (() => void)[] = []

function next(): void {
  while (connecting < CONNECTING_MAX && waiting.length > 0) {
    connecting++
    waiting.shift()?.()
  }
}

function hold(port: number, token: string, index: number): void {
  let isConnected = false
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const pings = setInterval(() => isConnected && socket.write(PING), (KEEP_ALIVE_S / 2) * 1000)
  socket.once('connect', () =>
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: `hold-${process.pid}-${index}`,
        keepalive: KEEP_ALIVE_S,
        username: token,
      }),
    ),
  )
  socket.once('data', (chunk: Buffer) => {
    if (chunk.length < CONNACK_BYTES || chunk[3] !== ACCEPTED) return socket.destroy()
    isConnected = true
    connected++
    connecting--
    next()
    return undefined
  })
  socket.on('error', () => undefined)
  socket.once('close', () => {
    clearInterval(pings)
    if (isConnected) connected--
    else connecting--
    setTimeout(() => {
      waiting.push(() => hold(port, token, index))
      next()
    }, AGAIN_MS)
  })
}

process.on('message', (message: { job?: Job; count?: true }) => {
  if (message.job) {
    const { port, tokens } = message.job
    for (const [index, token] of tokens.entries()) waiting.push(() => hold(port, token, index))
    next()
  }
  if (message.count) process.send?.({ connected })
})
process.on('disconnect', () => process.exit(0))
