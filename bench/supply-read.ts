import { Agent, request } from 'node:http'
import { encodeCursor } from '../api/cursor.ts'
import { changeOf, facilityId, itemId, ITEMS, lotInUse, type Size } from './supply-seed.ts'

const REQUESTS = Number(process.env.BENCH_READS ?? 1000)
/** Of the pages that are measured. */
const LIMIT = 50

interface Target {
  readonly http: string
  readonly token: string
  readonly size: Size
}

type Draw = (size: Size) => string

/** What is read, of any facility. */
export const READS: readonly { readonly name: string; readonly path: Draw; readonly isScoped?: boolean }[] = [
  { name: 'stock on hand of a facility', path: (size) => `stock?facilityId=${facilityId(any(size))}` },
  {
    name: 'stock card',
    path: (size) =>
      `stock-card?facilityId=${facilityId(any(size))}&itemId=${itemId(below(ITEMS))}&limit=${LIMIT}`,
  },
  {
    name: 'changes of the country, followed',
    path: (size) => changesPath(size.facilities * size.eventsPerFacility - LIMIT, 'all'),
  },
  {
    name: 'changes of a facility, followed',
    path: (size) => changesPath(changeOf(0, size.eventsPerFacility - LIMIT, size) - 1, facilityId(0)),
    isScoped: true,
  },
  { name: 'changes of a facility, from the beginning', path: () => `changes?limit=${LIMIT}`, isScoped: true },
  { name: 'lot trace', path: (size) => `lots/${lotInUse(any(size), below(ITEMS), size)}/trace` },
  {
    name: 'lot trace for a facility',
    path: (size) => `lots/${lotInUse(0, below(ITEMS), size)}/trace`,
    isScoped: true,
  },
]

function changesPath(after: number, place: string): string {
  return `changes?since=${encodeCursor(`${after}.${place}`)}&limit=${LIMIT}`
}

function below(count: number): number {
  return Math.floor(Math.random() * count)
}

function any({ facilities }: Size): number {
  return below(facilities)
}

/** Milliseconds of each request, by what was read. */
export type ReadTimes = Record<string, number[]>

/** Asks all targets in turn, one request at a time, so that what else the machine does falls on all of them alike. */
export async function readTimes(targets: readonly [Target, Target]): Promise<[ReadTimes, ReadTimes]> {
  const agent = new Agent({ keepAlive: true })
  const people = await Promise.all(targets.map((target) => login(agent, target)))
  const times: [ReadTimes, ReadTimes] = [{}, {}]
  for (const { name, path, isScoped } of READS)
    for (let i = -WARM_UP; i < REQUESTS; i++)
      for (const [index, target] of targets.entries()) {
        const startedAt = performance.now()
        const token = isScoped ? people[index] : target.token
        await get(agent, `${target.http}/v1/${path(target.size)}`, token ?? '')
        if (i >= 0) (times[index === 0 ? 0 : 1][name] ??= []).push(performance.now() - startedAt)
      }
  agent.destroy()
  return times
}

const WARM_UP = 50

/** Somebody of the first facility, who sees nothing else. */
async function login(agent: Agent, { http, token }: Target): Promise<string> {
  const secret = { username: `reader-${Date.now()}`, password: 'a long enough password' }
  const person = { ...secret, name: 'Reader', role: 'viewer', facilityId: facilityId(0) }
  await ask(agent, `${http}/v1/users`, token, person)
  const { accessToken } = JSON.parse(await ask(agent, `${http}/v1/auth/login`, undefined, secret)) as {
    accessToken: string
  }
  return accessToken
}

async function get(agent: Agent, url: string, token: string): Promise<string> {
  return ask(agent, url, token, undefined)
}

async function ask(agent: Agent, url: string, token: string | undefined, body: object | undefined) {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
  }
  const sent = request(url, { agent, method: body ? 'POST' : 'GET', headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('end', () =>
      Number(response.statusCode) < 300 ? resolve(text) : reject(new Error(`${url}: ${text}`)),
    )
  })
  sent.once('error', reject)
  sent.end(body && JSON.stringify(body))
  return promise
}
