import type { Config } from './config.ts'

export const PART_NAMES = ['broker', 'ingest', 'notifier', 'api'] as const
export type PartName = (typeof PART_NAMES)[number]

/** The stores of the distributed deployment, and how their addresses begin. */
const STORES = {
  DATABASE_URL: ['mysql:'],
  QUEUE_URL: ['amqp:', 'amqps:'],
  SERIES_URL: ['http:', 'https:'],
  CACHE_URL: ['redis:', 'rediss:'],
} as const satisfies Partial<Record<keyof Config, readonly string[]>>
const STORE_NAMES = Object.keys(STORES) as (keyof typeof STORES)[]

const INTAKE_TOKEN_CHARS_MIN = 32

/** The parts that this process runs. */
export function partsOf({ PARTS }: Pick<Config, 'PARTS'>): PartName[] {
  if (PARTS === 'all') return [...PART_NAMES]
  return PARTS.split(',').map((part) => part.trim() as PartName)
}

/** Two combinations are supported: everything in files of this machine, or everything on servers. */
export function isDistributed(config: Config): boolean {
  return STORE_NAMES.every((name) => config[name] !== '')
}

/** What of the settings does not make one of the two deployments, a sentence each. */
export function deploymentProblems(config: Config): string[] {
  return [...storeProblems(config), ...partProblems(config), ...intakeProblems(config)]
}

function storeProblems(config: Config): string[] {
  const set = STORE_NAMES.filter((name) => config[name] !== '')
  const problems = set
    .filter((name) => !STORES[name].some((scheme) => config[name].startsWith(`${scheme}//`)))
    .map((name) => `${name} does not begin with ${STORES[name][0]}//`)
  if (set.length === 0) return problems
  const missing = STORE_NAMES.filter((name) => config[name] === '')
  if (missing.length > 0)
    problems.push(`${set.join(', ')} without ${missing.join(', ')}: set all of them, or none`)
  if (config.JWT_SECRET === '') problems.push('JWT_SECRET is missing: all processes must have the same')
  return problems
}

function partProblems(config: Config): string[] {
  const parts = partsOf(config)
  const problems: string[] = []
  const unknown = parts.filter((part) => !PART_NAMES.includes(part))
  if (unknown.length > 0)
    problems.push(`PARTS names ${unknown.join(', ')}; there are ${PART_NAMES.join(', ')}`)
  if (parts.length < PART_NAMES.length && STORE_NAMES.every((name) => config[name] === ''))
    problems.push(`PARTS leaves some out, which needs ${STORE_NAMES.join(', ')}`)
  return problems
}

function intakeProblems(config: Config): string[] {
  const parts = partsOf(config)
  const problems: string[] = []
  const handsOver = parts.includes('broker') || parts.includes('api')
  if (handsOver && !parts.includes('ingest') && (config.INTAKE_URL === '' || config.INTAKE_TOKEN === ''))
    problems.push('INTAKE_URL and INTAKE_TOKEN are missing: there is no ingest in this process')
  if (config.INTAKE_TOKEN !== '' && config.INTAKE_TOKEN.length < INTAKE_TOKEN_CHARS_MIN)
    problems.push(`INTAKE_TOKEN is shorter than ${INTAKE_TOKEN_CHARS_MIN} characters`)
  return problems
}
