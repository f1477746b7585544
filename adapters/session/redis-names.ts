/**
 * The broker gives every device a namespace: the keys of its sessions begin with `<device>/`, its topics with `device/<device>/`.
 * Everything here is kept per device, so that nothing is ever looked for among all of them.
 */
export function ownerOfClient(clientId: string): string {
  return clientId.split('/', 1)[0] ?? ''
}

/** Undefined for a topic outside of any namespace. */
export function ownerOfTopic(topic: string): string | undefined {
  const [root, owner] = topic.split('/', 2)
  return root === 'device' ? owner : undefined
}

/** Whether a filter [MQTT-4.7] holds the topic. */
export function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const wanted = filter.split('/')
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false
  }
  return wanted.length === levels.length
}
