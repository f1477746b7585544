import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { CodedError } from '../domain/errors.ts'

const derive = promisify(argon2)

// OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB = 19_456
const PASSES = 2
const PARALLELISM = 1
const TAG_BYTES = 32
const SALT_BYTES = 16

export const PASSWORD_LENGTH_MIN = 10
/** Long enough for any passphrase; hashing more would only serve somebody who wants to keep the processor busy. */
export const PASSWORD_LENGTH_MAX = 200

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** Hashes with argon2id into a PHC string, which carries its own parameters: they may grow later without breaking old hashes. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const tag = await derive('argon2id', {
    message: password.normalize('NFKC'),
    nonce: salt,
    parallelism: PARALLELISM,
    tagLength: TAG_BYTES,
    memory: MEMORY_KIB,
    passes: PASSES,
  })
  const parameters = `m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}`
  return `$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(tag)}`
}

// Salt and tag of nobody: the tag of no known password.
const DUMMY = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$${unpadded(randomBytes(SALT_BYTES))}$${unpadded(randomBytes(TAG_BYTES))}`

/**
 * Whether the password is the one that was hashed. Without a hash (nobody of that name) it does the same work and says no,
 * so that the time of the answer does not tell which names exist.
 */
export async function verifyPassword(password: string, phc: string | undefined): Promise<boolean> {
  const match = PHC.exec(phc ?? DUMMY)
  if (!match) throw new Error('stored password hash is not argon2id in PHC form')
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number)
  const expected = Buffer.from(match[5] ?? '', 'base64')
  const tag = await derive('argon2id', {
    message: password.normalize('NFKC'),
    nonce: Buffer.from(match[4] ?? '', 'base64'),
    parallelism: parallelism ?? PARALLELISM,
    tagLength: expected.length,
    memory: memory ?? MEMORY_KIB,
    passes: passes ?? PASSES,
  })
  return timingSafeEqual(tag, expected) && phc !== undefined
}

/** @throws CodedError `request.invalid` when the password is too easy for this user name */
export function checkPassword(password: string, username: string): void {
  if (password.length < PASSWORD_LENGTH_MIN || password.length > PASSWORD_LENGTH_MAX)
    throw new CodedError(
      'request.invalid',
      `A password has ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters.`,
    )
  if (password.toLowerCase() === username.toLowerCase() || new Set(password).size < 4)
    throw new CodedError(
      'request.invalid',
      'The password is the user name, or hardly more than one character repeated.',
    )
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
