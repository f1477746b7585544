/** What is kept of a message that was published, or will be. */
export interface Publication {
  readonly cmd?: string
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: number
  readonly retain: boolean
}

export function packed({ cmd, topic, payload, qos, retain }: Publication): string {
  return JSON.stringify({ cmd, topic, payload: Buffer.from(payload).toString('base64'), qos, retain })
}

export function unpacked(text: string): Publication {
  const it = JSON.parse(text) as Publication & { readonly payload: string }
  return { ...it, payload: Buffer.from(it.payload, 'base64') }
}
