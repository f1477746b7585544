import { openEmbeddedQueue } from '../../adapters/queue/embedded.ts'
import { makeBatch } from '../contracts/queue.ts'

// Started by queue-embedded.test.ts, which kills it: publishes for ever, prints `+id` for what is confirmed, `-id` before it answers `done`.
const [file = ''] = process.argv.slice(2)
const quiet = { count() {}, set() {}, observe() {} }
const queue = await openEmbeddedQueue({ file, metrics: quiet })
const say = (line: string) => process.stdout.write(`${line}\n`)

queue.consume(
  'judge',
  async (deliveries) => {
    for (const { batch } of deliveries) say(`-${batch.id}`)
    return deliveries.map(() => 'done' as const)
  },
  { deliveriesMax: 3 },
)

async function publishForEver(): Promise<never> {
  for (;;) {
    const batch = makeBatch(20)
    await queue.publish(batch, ['store', 'judge'])
    say(`+${batch.id}`)
  }
}
await Promise.all(Array.from({ length: 8 }, publishForEver))
