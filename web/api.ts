import { queryOptions, useQuery } from '@tanstack/react-query'
import { mayCall, type OperationId as Permission } from '../domain/permissions.ts'
import { currentLanguage } from './preferences.ts'
import { ROUTES, type Operations } from './operations.ts'
import { bearer, refuseToken, rememberPerson, rememberedPerson } from './session.ts'

export type OperationId = keyof Operations

/** What an operation is asked with: what it does not take may be left out. */
export type Asked<K extends OperationId> = {
  readonly query?: Operations[K]['query']
  readonly signal?: AbortSignal
  /** Idempotency-Key: the same call again is answered as before. */
  readonly key?: string
} & (keyof Operations[K]['params'] extends never ? unknown : { readonly params: Operations[K]['params'] }) &
  (Operations[K]['body'] extends undefined ? unknown : { readonly body: Operations[K]['body'] })

interface ProblemDocument {
  readonly code: string
  readonly title: string
  readonly detail?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** A refusal of the API (RFC 9457), in the language of the person; `code` is what programs look at. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string | undefined
  readonly errors: NonNullable<ProblemDocument['errors']>
  constructor(status: number, { code, title, detail, errors = [] }: ProblemDocument) {
    super(title)
    this.status = status
    this.code = code
    this.detail = detail
    this.errors = errors
  }
}

/** Asks the API. @throws Problem for a refusal, TypeError without a network */
export async function call<K extends OperationId>(
  operation: K,
  asked: Asked<K>,
): Promise<Operations[K]['response']> {
  const response = await ask(operation, asked)
  return (response.status === 204 ? undefined : await response.json()) as Operations[K]['response']
}

/** The answer as it comes, for what is no JSON. @throws Problem for a refusal, TypeError without a network */
export async function ask<K extends OperationId>(operation: K, asked: Asked<K>): Promise<Response> {
  const first = await send(operation, asked)
  const response = (await isTokenRefused(first)) ? await send(operation, asked) : first
  if (!response.ok) throw await problemOf(response)
  return response
}

/** A 401 may be about a password as well, which is not to be tried twice. */
async function isTokenRefused(response: Response): Promise<boolean> {
  if (response.status !== 401) return false
  return (await problemOf(response.clone())).code !== 'auth.invalidCredentials'
}

/** A query of TanStack Query; its key is `[operation, asked]`, so that `[operation]` alone invalidates all of an operation. */
export function query<K extends OperationId>(operation: K, asked: Asked<K>) {
  return queryOptions({
    queryKey: [operation, asked] as const,
    queryFn: ({ signal }) => call(operation, { ...asked, signal }),
  })
}

export function useMe() {
  const { data } = useQuery({
    queryKey: ['getMe', {}] as const,
    queryFn: async ({ signal }) => {
      const me = await call('getMe', { signal })
      rememberPerson(me)
      return me
    },
    staleTime: 60_000,
    initialData: rememberedPerson,
    initialDataUpdatedAt: 0,
  })
  return data
}

/** The operations that list something page by page. */
export type ListId = {
  [K in OperationId]: Operations[K]['response'] extends {
    items: readonly unknown[]
    nextCursor: string | null
  }
    ? keyof Operations[K]['params'] extends never
      ? K
      : never
    : never
}[OperationId]
export type ItemOf<K extends ListId> = Operations[K]['response']['items'][number]

const PAGE_ROWS = 200
const PAGES_MAX = 10

/** The whole of a list that is known to be short, as one query; of a longer one its start, and `isWhole` says so. */
export function wholeList<K extends ListId>(operation: K, asked: Operations[K]['query']) {
  return queryOptions({
    queryKey: [operation, { all: asked }] as const,
    queryFn: async ({ signal }) => {
      const items: ItemOf<K>[] = []
      let cursor: string | null = ''
      for (let page = 0; page < PAGES_MAX && cursor !== null; page++) {
        const part: Operations[ListId]['response'] = await call(operation, {
          query: { ...asked, limit: PAGE_ROWS, ...(cursor !== '' && { cursor }) },
          signal,
        } as unknown as Asked<K>)
        items.push(...(part.items as readonly ItemOf<K>[]))
        cursor = part.nextCursor
      }
      return { items, isWhole: cursor === null }
    },
  })
}

/** Whether the person's role may call this; the API decides again, with their place. */
export function useMay(operation: Permission): boolean {
  const me = useMe()
  return me !== undefined && mayCall(me.role, operation)
}

/** The problem in a failed answer; one of its own for what is no problem document, such as a proxy's page. */
export async function problemOf(response: Response): Promise<Problem> {
  const known = response.headers.get('content-type')?.includes('problem+json')
  const body = known ? ((await response.json()) as ProblemDocument) : undefined
  return new Problem(response.status, body ?? { code: 'internal.unexpected', title: response.statusText })
}

interface AnyAsked {
  readonly params?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  /** A text is a file of CSV. */
  readonly body?: unknown
  readonly signal?: AbortSignal
  readonly key?: string
}

async function send<K extends OperationId>(operation: K, asked: Asked<K>): Promise<Response> {
  const { params = {}, query: given = {}, body, signal, key }: AnyAsked = asked
  const [method = 'GET', template = ''] = ROUTES[operation].split(' ')
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  )
  const search = new URLSearchParams(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )
  const token = await bearer()
  const response = await fetch(search.size > 0 ? `${path}?${search}` : path, {
    method,
    headers: headersFor(token, body, key),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  })
  if (token !== undefined && (await isTokenRefused(response))) refuseToken(token)
  return response
}

function headersFor(token: string | undefined, body: unknown, key: string | undefined) {
  return {
    'accept-language': currentLanguage(),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(body === undefined
      ? {}
      : { 'content-type': typeof body === 'string' ? 'text/csv' : 'application/json' }),
  }
}
