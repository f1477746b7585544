import { benchAcks } from './acks.ts'
import { benchAlarm } from './alarm.ts'
import { benchBacklog } from './backlog.ts'
import { benchDevices } from './devices.ts'
import { benchDistributed } from './distributed.ts'
import { benchJudging } from './judging.ts'
import { keep, type Report } from './report.ts'
import { benchScaling } from './scaling.ts'
import { benchStart } from './start.ts'
import { benchMonth, benchSupply } from './supply.ts'
import { benchWeb } from './web.ts'

const benches: Record<string, () => Promise<Report>> = {
  acks: benchAcks,
  alarm: benchAlarm,
  backlog: benchBacklog,
  devices: benchDevices,
  distributed: benchDistributed,
  judging: benchJudging,
  month: benchMonth,
  scaling: benchScaling,
  start: benchStart,
  supply: benchSupply,
  web: benchWeb,
}

const names = process.argv.slice(2)
if (names.includes('--help') || names.some((name) => !(name in benches))) {
  console.log(
    `Usage: npm run bench [name ...]\n\nNames: ${Object.keys(benches).join(', ')}; all of them without a name.\nBENCH_SECONDS and BENCH_ROUNDS make runs shorter or longer, BENCH_DEPLOYMENT=embedded or distributed leaves the other out of alarm and backlog; CPU_PROF=1 leaves processor profiles in bench/out.`,
  )
  process.exit(names.includes('--help') ? 0 : 2)
}
for (const [name, bench] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.error(`bench ${name}`)
  const report = await bench()
  await keep(report)
  console.log(JSON.stringify(report, null, 2))
}
