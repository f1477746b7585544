import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { portFor } from '../test/services/place.ts'
import { waitFor } from '../test/wait-for.ts'
import type { Baseline } from './harness.ts'

const SERVER = '/usr/sbin/mosquitto'

/** Whether the broker is installed here (the package `mosquitto` of Debian). */
export const hasMosquittoBroker = existsSync(SERVER)

/** Mosquitto as it comes, which acknowledges from memory. */
export async function startMosquitto(): Promise<Baseline> {
  const dir = await mkdtemp(join(tmpdir(), 'coldstream-bench-'))
  const mqttPort = await portFor({})
  const settings = [
    `listener ${mqttPort} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'set_tcp_nodelay true',
    'user root',
    'log_type error',
  ]
  await writeFile(join(dir, 'conf'), `${settings.join('\n')}\n`)
  const child = spawn(SERVER, ['-c', join(dir, 'conf')], { stdio: 'ignore' })
  await waitFor(() => takesConnections(mqttPort), 'mosquitto to listen', 10_000)
  return {
    pid: Number(child.pid),
    mqttPort,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy())
}
