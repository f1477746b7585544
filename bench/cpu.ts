import { readdirSync, readFileSync } from 'node:fs'

/** CPU time in seconds, user and system, by name: of every process that this one has started, itself or through another. */
export function cpuSecondsByName(names: ReadonlyMap<number, string>): Map<string, number> {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const processes = all.flatMap((pid) => read(Number(pid)))
  const ours = new Set([process.pid])
  // A parent has a lower number than its child, but for the rare turn of the numbers.
  for (const { pid, parent } of processes.toSorted((a, b) => a.pid - b.pid))
    if (ours.has(parent)) ours.add(pid)
  const byName = new Map<string, number>()
  for (const { pid, command, seconds } of processes) {
    if (!ours.has(pid)) continue
    const name = names.get(pid) ?? command
    byName.set(name, (byName.get(name) ?? 0) + seconds)
  }
  return byName
}

function read(pid: number) {
  try {
    const [head = '', tail = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const fields = tail.split(' ')
    const seconds = (Number(fields[11]) + Number(fields[12])) / 100
    return [{ pid, parent: Number(fields[1]), command: head.slice(head.indexOf('(') + 1), seconds }]
  } catch {
    // It has ended meanwhile.
    return []
  }
}
