import { isIPv6 } from 'node:net'
import type { FastifyReply } from 'fastify'
import { CodedError } from '../domain/errors.ts'
import type { RouteDeps } from './deps.ts'

/**
 * Counts a try at a password, before any work is done for it. The right password forgets the tries on its name
 * (`forgetTries`); those from its address stay, or one known account would open the way to guessing at all others.
 * @throws CodedError `auth.tooManyAttempts`, with Retry-After on the reply
 */
export async function countTry(
  { cache, settings }: RouteDeps,
  reply: FastifyReply,
  username: string,
  address: string,
): Promise<void> {
  const [byName, byAddress] = await Promise.all([
    cache.increment(nameKey(username), settings.loginWindowMs),
    cache.increment(`login:address:${networkOf(address)}`, settings.loginWindowMs),
  ])
  if (byName <= settings.loginTriesPerUserMax && byAddress <= settings.loginTriesPerAddressMax) return
  reply.header('retry-after', String(Math.ceil(settings.loginWindowMs / 1000)))
  throw new CodedError('auth.tooManyAttempts')
}

export async function forgetTries({ cache }: RouteDeps, username: string): Promise<void> {
  await cache.delete(nameKey(username))
}

function nameKey(username: string): string {
  return `login:name:${username}`
}

/** One subscriber of IPv6 has a whole /64 to come from, so that is what counts as one address. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::', 2)
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0')
  return `${[...front, ...gap, ...back].slice(0, 4).join(':')}::/64`
}
