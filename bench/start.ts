import { median, residentBytesOf, startBareAedes, startFresh } from './harness.ts'
import type { Report } from './report.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const SECONDS_MAX = 2

interface Round {
  readonly bare: number
  readonly first: number
  readonly again: number
  readonly restingMB: number
}

/** From the command to the first connection that is taken: bare Aedes, the embedded program on an empty folder, which makes its tables, and again after `kill -9`. */
export async function benchStart(): Promise<Report> {
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const round = await measure()
    console.error(`round ${i + 1} of ${ROUNDS}: ${JSON.stringify(round)}`)
    rounds.push(round)
  }
  const of = (pick: (round: Round) => number) => rounds.map(pick)
  return {
    name: 'start',
    title: 'From the command to listening',
    baseline: 'bare Aedes 1.2, which has nothing to open',
    figures: [
      { name: 'bare Aedes', unit: 's', values: of((r) => r.bare) },
      {
        name: 'embedded, in an empty folder',
        unit: 's',
        values: of((r) => r.first),
        ratio: of((r) => r.first / r.bare),
      },
      {
        name: 'embedded, after `kill -9`',
        unit: 's',
        values: of((r) => r.again),
        ratio: of((r) => r.again / r.bare),
      },
      { name: 'resident memory then', unit: 'MB', values: of((r) => r.restingMB) },
    ],
    target: `listening again within ${SECONDS_MAX} s`,
    passes: median(of((r) => r.again)) < SECONDS_MAX,
  }
}

async function measure(): Promise<Round> {
  const [aedes, bare] = await timed(startBareAedes)
  await aedes.stop()
  const [server, first] = await timed(startFresh)
  try {
    await server.kill()
    const [, again] = await timed(() => server.restart())
    return { bare, first, again, restingMB: residentBytesOf(server.pid) / 1e6 }
  } finally {
    await server.stop()
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[T, seconds: number]> {
  const startedAt = performance.now()
  const result = await work()
  return [result, (performance.now() - startedAt) / 1000]
}
