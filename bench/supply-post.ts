import { randomUUIDv7 } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { drawEvent, serve, type Job, type Outcome } from './supply-work.ts'

// Clients of the API that cost as little as they can: each has a connection of its own and one request in flight; of an answer only the
// status and the length are read.

async function run(job: Job): Promise<Outcome> {
  const { port } = new URL(job.url)
  const sockets = await Promise.all(Array.from({ length: job.clients }, () => open(Number(port))))
  const latencies: number[] = []
  let errors = 0
  let firstError: string | undefined
  const startedAt = performance.now()
  const until = startedAt + job.seconds * 1000
  let begun = 0
  const isOver = () => (job.events === undefined ? performance.now() >= until : begun >= job.events)
  async function work(socket: Socket): Promise<void> {
    while (!isOver()) {
      begun += 1
      const begunAt = performance.now()
      const answer = await ask(socket, requestOf(job))
      latencies.push(performance.now() - begunAt)
      if (answer.startsWith('HTTP/1.1 201')) continue
      errors += 1
      firstError ??= answer.slice(0, 2000)
    }
    socket.destroy()
  }
  await Promise.all(sockets.map(work))
  const seconds = (performance.now() - startedAt) / 1000
  return { latencies, errors, seconds, ...(firstError !== undefined && { firstError }) }
}

async function open(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
  socket.once('error', reject)
  return promise
}

function requestOf({ size, token }: Job): string {
  const { facility, point, lot, kind, doses } = drawEvent(size)
  const quantity = kind === 'receive' ? { doses } : { administered: doses, wasted: 0 }
  const lines = [{ storagePointId: point, lotId: lot, ...quantity }]
  const body = JSON.stringify({ id: randomUUIDv7(), kind, facilityId: facility, lines })
  return `POST /v1/stock-events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

function ask(socket: Socket, request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let answer = ''
  const onData = (chunk: Buffer) => {
    answer += chunk.toString('latin1')
    const head = answer.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, head))?.[1]
    if (length === undefined || answer.length < head + 4 + Number(length)) return
    socket.off('data', onData)
    socket.off('close', onClose)
    resolve(answer)
  }
  const onClose = () => reject(new Error('the connection was closed'))
  socket.on('data', onData)
  socket.once('close', onClose)
  socket.write(request)
  return promise
}

serve(run)
