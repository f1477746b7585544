/**
 * A uniform number in [0, 1) for a point of a stream: the same arguments give the same number for ever, in any order of asking,
 * so that a simulated refrigerator is a function of its seed and the time. The mixing is the finaliser of MurmurHash3 (public domain).
 */
export function uniform(seed: number, stream: number, index: number): number {
  let h = mix(seed | 0)
  h = mix(h ^ Math.imul(stream + 1, 0x9e3779b1))
  h = mix(h ^ (index | 0))
  // Indexes are often times, which need more than 32 bits.
  h = mix(h ^ Math.imul(Math.floor(index / 4_294_967_296), 0x85ebca6b))
  return (h >>> 0) / 4_294_967_296
}

/** Near to normal, mean 0 and standard deviation 1, never beyond 3: the sum of four uniform numbers, scaled. */
export function bell(seed: number, stream: number, index: number): number {
  const sum = [0, 1, 2, 3].reduce((total, part) => total + uniform(seed, stream * 4 + part + 64, index), 0)
  return Math.max(-3, Math.min(3, (sum - 2) * Math.sqrt(3)))
}

function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
