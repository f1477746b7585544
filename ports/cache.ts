/** Fast, shared, and allowed to forget: nothing here is the only copy of anything. Its promises are held by `test/contracts/cache.ts`. */
export interface Cache {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, ttlMs: number): Promise<void>
  delete(...keys: readonly string[]): Promise<void>
  /**
   * What is kept under the key, else what `make` gives, which is kept unless the key was deleted in between: so whoever changes the truth and then
   * deletes the key can be sure that nothing older is kept. The key is used for nothing else.
   */
  remember(key: string, ttlMs: number, make: () => Promise<string>): Promise<string>
  /** Adds 1 and returns the sum; the first addition starts the life time. For rate limits. */
  increment(key: string, ttlMs: number): Promise<number>
  /** Tells every subscriber in every process, at most once each. Costs nothing when nobody in this process listens and none other can. */
  publish<C extends keyof Channels>(channel: C, message: Channels[C]): void
  /**
   * Returns how to stop. `onGap` is told when messages from other processes may have been missed until now: whoever remembers
   * something because nothing else was said forgets it then, or looks again.
   */
  subscribe<C extends keyof Channels>(
    channel: C,
    listener: (message: Channels[C]) => void,
    onGap?: () => void,
  ): () => void
  ping(): Promise<void>
  close(): Promise<void>
}

/** Under which key the newest readings of a device are remembered; whoever stores a reading of it deletes the entry. */
export function latestKey(deviceId: string): string {
  return `latest:${deviceId}`
}

/** Under which key it is remembered how the last MQTT connection of a device ended: `closed` by itself, or `lost`; `open` while there is one. */
export function connectionKey(deviceId: string): string {
  return `connection:${deviceId}`
}

/** What travels between the parts as a hint that something happened. Whoever needs certainty reads the database. */
export interface Channels {
  readonly readings: readonly import('../domain/reading.ts').Reading[]
  /** A breach was opened, changed or ended. */
  readonly breaches: { readonly breachId: string; readonly facilityId: string | null; readonly kind: string }
  /** Something happened to stock in these facilities. */
  readonly stock: {
    readonly eventId: string
    readonly kind: import('../domain/stock-event.ts').EventKind
    readonly facilityIds: readonly string[]
  }
  /** When this equipment will be at its limit is known anew, or is no matter any more. */
  readonly timesToBreach: { readonly equipmentId: string; readonly facilityId: string }
  /** A device, its equipment or its rules changed: forget what you remember of it. */
  readonly registry: { readonly deviceId: string }
}
