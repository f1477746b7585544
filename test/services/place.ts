import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where a private server keeps its data, and where it listens. */
export interface Place {
  /** Kept when the server stops; its data is found again. Without it a temporary folder, which goes with the server. */
  readonly dir?: string
  /** On the loopback interface; a free one when not given. */
  readonly port?: number
}

/** The folder, and how to leave it. */
export async function folderFor(service: string, { dir }: Place) {
  if (dir !== undefined) await mkdir(dir, { recursive: true })
  const folder = dir ?? (await mkdtemp(join(tmpdir(), `coldstream-${service}-`)))
  return {
    folder,
    async leave(): Promise<void> {
      if (dir === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

export async function portFor({ port }: Place): Promise<number> {
  if (port !== undefined) return port
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  server.close()
  return address.port
}
