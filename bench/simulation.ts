import TinyQueue from 'tinyqueue'

// Discrete events: readings wait for processes, processes for processors, and what a process finds waiting it takes as one batch. Nothing here is
// measured and nothing is random: the same plant with the same arrivals gives the same outcome.

/** Processes of one kind, each with one thread. */
export interface Pool {
  readonly name: string
  readonly processes: number
  /** Whose processors they share. */
  readonly site: string
}

/** Something that is done to a batch, by a process of the pool. */
export interface Step {
  readonly pool: string
  readonly perBatchSeconds: number
  readonly perReadingSeconds: number
  readonly readingsMax: number
  /** Goes by besides, on a disk or a network, and takes no processor. */
  readonly waitSeconds: number
}

export interface Plant {
  /** Processors of each site. */
  readonly sites: Readonly<Record<string, number>>
  readonly pools: readonly Pool[]
  /** One after the other, up to the acknowledgement. */
  readonly acknowledged: readonly Step[]
  /** What is done to an acknowledged reading then, by name, side by side; each is a chain of its own. */
  readonly afterwards: Readonly<Record<string, readonly Step[]>>
}

/** How many readings arrive at a time, in seconds from the beginning, and in order. */
export type Arrivals = Iterable<readonly [atSeconds: number, readings: number]>

export interface Outcome {
  readonly readings: number
  /** From arrival to the end of each chain, of every reading. */
  readonly seconds: Readonly<Record<string, Quantiles>>
  /** Share of the time that the processes of a pool were at work. */
  readonly busy: Readonly<Record<string, number>>
  /** When the last reading was finished with. */
  readonly endsAtSeconds: number
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Readings that arrived together. */
interface Group {
  readonly bornAt: number
  readonly count: number
}

interface Site {
  free: number
  /** Processes that have work and no processor. */
  readonly ready: Worker[]
}

interface Worker {
  readonly site: Site
  /** What waits for it. */
  readonly lines: Map<Step, Line>
  isBusy: boolean
  busySeconds: number
}

interface Line {
  groups: Group[]
  readings: number
}

interface Happening {
  readonly at: number
  readonly order: number
  happen(): void
}

/** What quantiles are counted in. */
const TICK_SECONDS = 0.0001

/** Runs until everything that arrives is finished with. */
export function simulate(plant: Plant, arrivals: Arrivals): Outcome {
  const run = new Run(plant)
  for (const [at, count] of arrivals) run.arrive(at, count)
  return run.finish()
}

class Run {
  readonly #happenings = new TinyQueue<Happening>([], (a, b) => a.at - b.at || a.order - b.order)
  readonly #workers: ReadonlyMap<string, readonly Worker[]>
  readonly #next = new Map<Step, (groups: readonly Group[]) => void>()
  readonly #enter: (groups: readonly Group[]) => void
  readonly #ticks = new Map<string, Map<number, number>>()
  #now = 0
  #order = 0
  #turn = 0
  #readings = 0

  constructor({ sites, pools, acknowledged, afterwards }: Plant) {
    const found = new Map(
      Object.entries(sites).map(([name, processors]): [string, Site] => [
        name,
        { free: processors, ready: [] },
      ]),
    )
    this.#workers = new Map(
      pools.map(({ name, processes, site }) => {
        const at = found.get(site)
        if (!at) throw new Error(`There is no site ${site}.`)
        const start = (): Worker => ({ site: at, lines: new Map(), isBusy: false, busySeconds: 0 })
        return [name, Array.from({ length: processes }, start)]
      }),
    )
    const after = Object.entries(afterwards).map(([name, chain]) =>
      this.#connect(chain, (groups) => this.#note(name, groups)),
    )
    this.#enter = this.#connect(acknowledged, (groups) => {
      this.#note('acknowledged', groups)
      for (const enter of after) enter(groups)
    })
  }

  arrive(at: number, count: number): void {
    this.#readings += count
    this.#at(at, () => this.#enter([{ bornAt: at, count }]))
  }

  finish(): Outcome {
    for (let next = this.#happenings.pop(); next; next = this.#happenings.pop()) {
      this.#now = next.at
      next.happen()
    }
    const seconds = [...this.#ticks].map(([name, ticks]) => [name, quantilesOf(ticks)] as const)
    const busy = [...this.#workers].map(([name, workers]) => {
      const sum = workers.reduce((total, { busySeconds }) => total + busySeconds, 0)
      return [name, sum / workers.length / this.#now] as const
    })
    return {
      readings: this.#readings,
      seconds: Object.fromEntries(seconds),
      busy: Object.fromEntries(busy),
      endsAtSeconds: this.#now,
    }
  }

  #at(at: number, happen: () => void): void {
    this.#happenings.push({ at, order: this.#order++, happen })
  }

  /** Joins the steps of a chain; returns its entry. */
  #connect(chain: readonly Step[], done: (groups: readonly Group[]) => void) {
    return chain.reduceRight((next, step) => {
      this.#next.set(step, next)
      return (groups: readonly Group[]) => this.#offer(step, groups)
    }, done)
  }

  #offer(step: Step, groups: readonly Group[]): void {
    const worker = leastLoaded(this.#workers.get(step.pool) ?? [], step, this.#turn++)
    const line = worker.lines.get(step) ?? { groups: [], readings: 0 }
    worker.lines.set(step, line)
    for (const group of groups) {
      line.groups.push(group)
      line.readings += group.count
    }
    if (!worker.isBusy) this.#askForProcessor(worker)
  }

  #askForProcessor(worker: Worker): void {
    worker.isBusy = true
    const { site } = worker
    if (site.free === 0) {
      site.ready.push(worker)
      return
    }
    site.free -= 1
    this.#work(worker)
  }

  #work(worker: Worker): void {
    const [step, line] = longestLine(worker)
    const batch = take(line, step.readingsMax)
    const readings = batch.reduce((sum, { count }) => sum + count, 0)
    const busySeconds = step.perBatchSeconds + readings * step.perReadingSeconds
    worker.busySeconds += busySeconds
    this.#at(this.#now + busySeconds, () => {
      this.#at(this.#now + step.waitSeconds, () => this.#next.get(step)?.(batch))
      this.#release(worker)
    })
  }

  #release(worker: Worker): void {
    const { site } = worker
    worker.isBusy = false
    const waiting = site.ready.shift()
    if (waiting) this.#work(waiting)
    else site.free += 1
    if ([...worker.lines.values()].some(({ readings }) => readings > 0)) this.#askForProcessor(worker)
  }

  #note(name: string, groups: readonly Group[]): void {
    const ticks = this.#ticks.get(name) ?? new Map<number, number>()
    this.#ticks.set(name, ticks)
    for (const { bornAt, count } of groups) {
      const tick = Math.ceil((this.#now - bornAt) / TICK_SECONDS)
      ticks.set(tick, (ticks.get(tick) ?? 0) + count)
    }
  }
}

/** Each in turn where they are alike. */
function leastLoaded(workers: readonly Worker[], step: Step, turn: number): Worker {
  const load = (worker: Worker) => (worker.lines.get(step)?.readings ?? 0) + (worker.isBusy ? 1 : 0)
  let [best, least] = [workers[turn % workers.length], Number.POSITIVE_INFINITY]
  for (let i = 0; i < workers.length; i += 1) {
    const worker = workers[(turn + i) % workers.length]
    if (!worker || load(worker) >= least) continue
    ;[best, least] = [worker, load(worker)]
  }
  if (!best) throw new Error(`There is no process for ${step.pool}.`)
  return best
}

function longestLine({ lines }: Worker): [Step, Line] {
  const [first] = [...lines].toSorted(([, a], [, b]) => b.readings - a.readings)
  if (!first) throw new Error('A process was woken without work.')
  return first
}

/** As many as fit into a batch; a group is divided where need be. */
function take(line: Line, readingsMax: number): Group[] {
  const taken: Group[] = []
  let room = readingsMax
  let index = 0
  for (; index < line.groups.length && room > 0; index += 1) {
    const group = line.groups[index]
    if (!group) break
    const count = Math.min(group.count, room)
    taken.push({ ...group, count })
    room -= count
    if (count < group.count) line.groups[index] = { ...group, count: group.count - count }
    if (count < group.count) break
  }
  line.groups = line.groups.slice(index)
  line.readings -= readingsMax - room
  return taken
}

function quantilesOf(ticks: ReadonlyMap<number, number>): Quantiles {
  const sorted = [...ticks].toSorted(([a], [b]) => a - b)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  const at = (share: number) => {
    let seen = 0
    const found = sorted.find(([, count]) => (seen += count) >= share * total)
    return (found?.[0] ?? Number.NaN) * TICK_SECONDS
  }
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
