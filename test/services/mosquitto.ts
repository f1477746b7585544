import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

const PUBLISH = '/usr/bin/mosquitto_pub'

/** Whether the client is installed: a real one, that nobody here wrote. */
export const hasMosquitto = existsSync(PUBLISH)

/**
 * `mosquitto_pub -l`: one QoS 1 message per line of its input. Resolves with its exit code, which is 0 only when all were acknowledged.
 * @param args further arguments, such as `['-V', '311']`
 */
export async function mosquittoPublish(
  port: number,
  token: string,
  topic: string,
  messages: readonly string[],
  args: readonly string[] = [],
): Promise<number> {
  const options = ['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-u', token, '-t', topic, '-l', ...args]
  const child = spawn(PUBLISH, options, { stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.end(`${messages.join('\n')}\n`)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? -1
}
