import {
  createCipheriv,
  createECDH,
  createPrivateKey,
  hkdfSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'

/** What a browser gives of itself: its public key (P-256, uncompressed point) and its secret. */
export interface Browser {
  readonly p256dh: Buffer
  readonly auth: Buffer
}

const CURVE = 'prime256v1'
const KEY_BYTES = 16
const NONCE_BYTES = 12
const PRIVATE_KEY_BYTES = 32
/** One record holds it all: the size in the header is the least that RFC 8188 lets everybody take. */
const RECORD_BYTES = 4096
/** Ends the last record (RFC 8188, 2). */
const LAST = Buffer.from([2])

/**
 * Encrypts a message for one browser (RFC 8291, content coding `aes128gcm`).
 * @param once what is fresh for each message: an ephemeral key pair and a salt; given only by tests
 */
export function encryptPush(
  text: Buffer,
  browser: Browser,
  once: { readonly privateKey: Buffer; readonly salt: Buffer } = {
    privateKey: newPrivateKey(),
    salt: randomBytes(16),
  },
): Buffer {
  const ecdh = createECDH(CURVE)
  ecdh.setPrivateKey(once.privateKey)
  const publicKey = ecdh.getPublicKey()
  const shared = ecdh.computeSecret(browser.p256dh)
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), browser.p256dh, publicKey])
  const secret = hkdf(shared, browser.auth, keyInfo, 32)
  const key = hkdf(secret, once.salt, Buffer.from('Content-Encoding: aes128gcm\0'), KEY_BYTES)
  const nonce = hkdf(secret, once.salt, Buffer.from('Content-Encoding: nonce\0'), NONCE_BYTES)
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  const record = Buffer.concat([
    cipher.update(Buffer.concat([text, LAST])),
    cipher.final(),
    cipher.getAuthTag(),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(RECORD_BYTES)
  return Buffer.concat([once.salt, size, Buffer.from([publicKey.length]), publicKey, record])
}

function hkdf(secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length))
}

export function newPrivateKey(): Buffer {
  const ecdh = createECDH(CURVE)
  ecdh.generateKeys()
  // The library drops leading zeros.
  return Buffer.concat([Buffer.alloc(PRIVATE_KEY_BYTES), ecdh.getPrivateKey()]).subarray(-PRIVATE_KEY_BYTES)
}

/** The keys by which push services know who sends (VAPID, RFC 8292). */
export interface Vapid {
  /** Uncompressed point, base64url: what browsers subscribe with. */
  readonly publicKey: string
  readonly key: KeyObject
}

/** @param privateKey 32 bytes, base64url @returns undefined when it is no private key of P-256 */
export function readVapidKey(privateKey: string): Vapid | undefined {
  const bytes = Buffer.from(privateKey, 'base64url')
  if (bytes.length !== PRIVATE_KEY_BYTES) return undefined
  try {
    const ecdh = createECDH(CURVE)
    ecdh.setPrivateKey(bytes)
    const point = ecdh.getPublicKey()
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
    const jwk = { kty: 'EC', crv: 'P-256', d: bytes.toString('base64url'), x: x ?? '', y: y ?? '' }
    return { publicKey: point.toString('base64url'), key: createPrivateKey({ key: jwk, format: 'jwk' }) }
  } catch {
    return undefined
  }
}

/** The Authorization header for one push service. @param audience its origin @param expiresAt seconds, at most a day from now */
export function vapidHeader(vapid: Vapid, audience: string, subject: string, expiresAt: number): string {
  const head = `${part({ typ: 'JWT', alg: 'ES256' })}.${part({ aud: audience, exp: expiresAt, sub: subject })}`
  const signature = sign('sha256', Buffer.from(head), { key: vapid.key, dsaEncoding: 'ieee-p1363' })
  return `vapid t=${head}.${signature.toString('base64url')}, k=${vapid.publicKey}`
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
