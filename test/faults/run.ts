import { join } from 'node:path'
import { startDistributed, type Distributed } from '../services/deployment.ts'
import { endure, isSound } from './endure.ts'
import { FAULTS } from './faults.ts'
import { keep, OUT } from './report.ts'

const names = process.argv.slice(2)
if (names.some((name) => !FAULTS.some((fault) => fault.name === name))) {
  console.log(
    `Usage: npm run faults [name ...]\n\nNames: ${FAULTS.map(({ name }) => name).join(', ')}; all of them without a name.\nThe outcome is kept in test/out/faults, and rendered into docs/faults.md.`,
  )
  process.exit(names.includes('--help') ? 0 : 2)
}

// Faults of one shape share a deployment, as long as it endures them.
let deployment: Distributed | undefined
let shape = ''
const stop = async () => {
  await deployment?.stop()
  deployment = undefined
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().finally(() => process.exit(1)))
for (const fault of FAULTS) {
  if (names.length > 0 && !names.includes(fault.name)) continue
  if (shape !== JSON.stringify(fault.shape)) await stop()
  shape = JSON.stringify(fault.shape)
  deployment ??= await startDistributed({ NOTIFY_AGE_MS_MAX: '1' }, { ...fault.shape, relayed: true })
  const startedAt = performance.now()
  try {
    const endured = await endure(deployment, fault)
    await keep(fault, endured)
    const outcome = isSound(endured) ? 'endured' : `NOT ENDURED ${JSON.stringify(endured)}`
    console.error(`${fault.name}: ${outcome}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
    if (isSound(endured)) continue
  } catch (error) {
    console.error(`${fault.name}: NOT ENDURED`, error)
  }
  process.exitCode = 1
  await deployment.keepLogs(join(OUT, fault.name))
  await stop()
}
await stop()
