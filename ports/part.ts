import type { FastifyPluginAsync } from 'fastify'

/** A part of the program: broker, ingest, notifier, api. `main` starts them left to right and stops them right to left. */
export interface Part {
  readonly name: string
  /** What it serves over HTTP, if anything; registered by `main` on the shared server. */
  readonly routes?: FastifyPluginAsync
  /** Undefined when ready to work, else why not, in a sentence. */
  ready(): Promise<string | undefined>
  /** Finishes what it has begun, takes nothing new. */
  stop(): Promise<void>
}
