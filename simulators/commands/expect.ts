import Table from 'cli-table3'
import { readFile, writeFile } from 'node:fs/promises'
import { expectationOf, expectationText, type Expectation } from '../expect.ts'
import { SCENARIOS } from '../scenarios/all.ts'

/** Where the checked-in expectation of a scenario is. */
export function expectationFile(name: string): URL {
  return new URL(`../scenarios/expected/${name}.json`, import.meta.url)
}

/** Compares every expectation with its file, or writes the files; resolves with the exit code. */
export async function expectCommand(write: boolean): Promise<number> {
  let stale = 0
  for (const scenario of SCENARIOS) {
    const expectation = expectationOf(scenario)
    const text = expectationText(expectation)
    const file = expectationFile(scenario.name)
    const before = await readFile(file, 'utf8').catch(() => '')
    if (write && before !== text) await writeFile(file, text)
    const state = before === text ? 'same' : write ? 'written' : 'DIFFERS'
    if (state === 'DIFFERS') stale++
    console.log(`${scenario.name}: ${state}\n${breachTable(expectation.breaches)}`)
  }
  if (stale > 0) console.error(`${stale} files differ: look at what changed, then run expect --write.`)
  return stale > 0 ? 5 : 0
}

export function listCommand(): number {
  for (const { name, description, devices, hours } of SCENARIOS) {
    console.log(`${name.padEnd(16)} ${devices.length} devices, ${hours / 24} days. ${description}`)
  }
  return 0
}

/** Breaches as people read them. */
export function breachTable(breaches: Expectation['breaches']): string {
  if (breaches.length === 0) return '  no breach'
  const table = new Table({
    head: ['device', 'rule', 'start', 'end', 'hours', 'peak', 'readings'],
    style: { head: [], border: [] },
  })
  for (const { device, rule, startAt, endAt, lastAt, peak, readings } of breaches) {
    const hours = (Date.parse(endAt ?? lastAt) - Date.parse(startAt)) / 3_600_000
    table.push([device, rule, startAt, endAt ?? 'open', hours.toFixed(1), peak.toFixed(1), readings])
  }
  return table.toString()
}
