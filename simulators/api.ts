import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ApiOptions {
  /** `http://host:8080`, without a path. */
  readonly url: string
  readonly username: string
  readonly password: string
  readonly timeoutMs?: number
}

/** Why the API did not do what was asked. `refused` carries the code of the problem that it answered. */
export class ApiError extends Error {
  readonly reason: 'unreachable' | 'unauthorized' | 'refused'
  readonly code: string | undefined
  constructor(reason: ApiError['reason'], message: string, code?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ApiError'
    this.reason = reason
    this.code = code
  }
}

export interface Api {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: object): Promise<T>
  patch<T>(path: string, body: object): Promise<T>
  /** Every item of a list, page by page. */
  list<T>(path: string): Promise<T[]>
}

interface Answer {
  readonly status: number
  readonly retryAfterSeconds: number
  readonly body: unknown
}

interface Problem {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
}

const TRIES_MAX = 5
const PAGES_MAX = 1000
const PAGE_ITEMS = 200

/** Logs in, and again when the access token has expired. @throws ApiError */
export async function openApi(options: ApiOptions): Promise<Api> {
  let token = await logIn(options)

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    // One key for all tries: a write that was done and whose answer was lost is not done twice.
    const idempotencyKey = randomUUID()
    for (let attempt = 1; ; attempt++) {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(method === 'POST' ? { 'idempotency-key': idempotencyKey } : {}),
      }
      const answer = await request(options, method, path, headers, body)
      if (answer.status < 300) return answer.body as T
      if (attempt === TRIES_MAX) throw refusal(answer, method, path)
      if (answer.status === 401) token = await logIn(options)
      else if (answer.status === 429 || answer.status === 503) await sleep(answer.retryAfterSeconds * 1000)
      else throw refusal(answer, method, path)
    }
  }

  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    list: (path) => listAll((page) => call('GET', page), path),
  }
}

async function listAll<T>(
  get: (path: string) => Promise<{ items: T[]; nextCursor: string | null }>,
  path: string,
): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = `limit=${PAGE_ITEMS}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`
    const answer: { items: T[]; nextCursor: string | null } = await get(
      `${path}${path.includes('?') ? '&' : '?'}${query}`,
    )
    items.push(...answer.items)
    cursor = answer.nextCursor
    if (!cursor) return items
  }
  throw new ApiError('refused', `${path} has more than ${PAGES_MAX} pages.`)
}

async function logIn(options: ApiOptions): Promise<string> {
  const { username, password } = options
  const answer = await request(options, 'POST', '/v1/auth/login', {}, { username, password })
  if (answer.status === 401)
    throw new ApiError('unauthorized', `The server does not accept the password of user "${username}".`)
  const { accessToken } = (answer.body ?? {}) as { accessToken?: string }
  if (answer.status >= 300 || !accessToken) throw refusal(answer, 'POST', '/v1/auth/login')
  return accessToken
}

async function request(
  options: ApiOptions,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  try {
    const response = await fetch(new URL(path, options.url), {
      method,
      headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
      signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    })
    const text = await response.text()
    return {
      status: response.status,
      retryAfterSeconds: Math.min(30, Number(response.headers.get('retry-after')) || 1),
      body: text ? parse(text) : undefined,
    }
  } catch (error) {
    throw new ApiError('unreachable', `No answer from ${options.url} (${causeOf(error)}).`, undefined, {
      cause: error,
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal(answer: Answer, method: string, path: string): ApiError {
  const problem = (answer.body ?? {}) as Problem
  const what = problem.detail ?? problem.title ?? 'not a Coldstream answer'
  const text = `${method} ${path} was answered ${answer.status}: ${problem.code ?? ''} ${what}`
  return new ApiError(answer.status === 401 ? 'unauthorized' : 'refused', text, problem.code)
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const cause = error.cause
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message
}
