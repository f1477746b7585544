import Table from 'cli-table3'
import { Command, Option } from 'commander'
import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/compile'
import { Type } from 'typebox'
import { draftOf, NewRule } from '../api/rule-schemas.ts'
import { isTimeZone } from '../api/time.ts'
import { judgeReadings, type Breach } from '../domain/breach.ts'
import { QUANTITY_NAMES, type Quantity, type Reading } from '../domain/reading.ts'
import { ruleProblems } from '../domain/rule-validation.ts'
import type { Rule } from '../domain/rule.ts'
import { SHIPPED_RULES } from '../domain/shipped-rules.ts'
import { FileError, readFile } from './preview-file.ts'

const EXIT = { failed: 1, usage: 2 } as const
const MINUTE_MS = 60_000

interface Flags {
  readonly rule: readonly string[]
  readonly profile: readonly string[]
  readonly rules: string | undefined
  readonly quantity: Quantity
  readonly timeZone: string
  readonly json: boolean
}

interface Found extends Breach {
  readonly sensor: string
  readonly rule: Rule
}

const program = new Command('preview')
  .description(
    'Find the breaches that alarm rules make of the readings in a file. Nothing else is needed, and nothing is changed.',
  )
  .argument('<file>', 'CSV (time,value) or native telemetry, one JSON message a line; - for standard input')
  .option('--rule <ids>', 'rules that ship, by id, separated by commas', list, [])
  .option('--profile <codes>', 'all rules of profiles that ship, separated by commas', list, [])
  .option('--rules <file>', 'rules of your own: a JSON array as the API takes them')
  .addOption(
    new Option('--quantity <name>', 'what "value" is in a CSV file')
      .choices([...QUANTITY_NAMES])
      .default('temperature'),
  )
  .option('--time-zone <name>', 'of the facility, for hours and days: an IANA name', 'UTC')
  .option('--json', 'JSON instead of a table', false)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.usage))
  .addHelpText(
    'after',
    `
Examples:
  npm run preview -- --rule who-30dtr-high readings.csv
  npm run preview -- --profile us-vfc-refrigerator --json readings.jsonl
  npm run preview -- --rules mine.json --time-zone Asia/Jakarta readings.csv

Rules that ship: ${SHIPPED_RULES.map(({ id }) => id).join(', ')}
Exit codes: 0 done, 1 the file cannot be read, 2 wrong usage.`,
  )
  .action((file: string, flags: Flags) => run(file, flags))

function list(text: string, before: readonly string[]): string[] {
  return [...before, ...text.split(',')]
}

function run(file: string, flags: Flags): void {
  try {
    if (!isTimeZone(flags.timeZone)) program.error(`"${flags.timeZone}" is not an IANA time zone.`)
    const rules = rulesOf(flags)
    const readings = readFile(file === '-' ? 'standard input' : file, textOf(file), flags.quantity)
    const found = judge(rules, readings)
    console.log(flags.json ? jsonOf(rules, readings, found) : tableOf(rules, readings, found))
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    console.error(error.message)
    process.exitCode = EXIT.failed
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new FileError(file, undefined, `cannot be read: ${(error as Error).message}`)
  }
}

function rulesOf({ rule: ids, profile: codes, rules: file, timeZone }: Flags): Rule[] {
  for (const id of ids)
    if (!SHIPPED_RULES.some((rule) => rule.id === id)) program.error(`There is no shipped rule "${id}".`)
  for (const code of codes)
    if (!SHIPPED_RULES.some((rule) => rule.profile === code))
      program.error(`There is no shipped profile "${code}".`)
  const shipped = SHIPPED_RULES.filter(({ id, profile }) => ids.includes(id) || codes.includes(profile))
  const rules = [...shipped, ...(file === undefined ? [] : ownRules(file))]
  if (rules.length === 0) program.error('Give at least one of --rule, --profile and --rules.')
  return rules.map((rule) => ({
    ...rule,
    window: rule.window?.kind === 'day' ? { kind: 'day', timeZone } : rule.window,
    activeHours: rule.activeHours && { ...rule.activeHours, timeZone },
  }))
}

const OwnRules = Compile(Type.Array(NewRule))

function ownRules(file: string): Rule[] {
  const bodies = parseJson(file, textOf(file))
  if (!OwnRules.Check(bodies)) {
    const [first] = OwnRules.Errors(bodies)
    throw new FileError(
      file,
      undefined,
      `${first?.instancePath ?? ''} ${first?.message ?? 'is not an array of rules'}`,
    )
  }
  const drafts = bodies.map((body) => draftOf(body))
  const [problem] = ruleProblems(drafts)
  if (problem)
    throw new FileError(
      file,
      undefined,
      `/${problem.index}/${problem.field} ${problem.code}: ${problem.detail}`,
    )
  return drafts.map((draft, index) => ({ ...draft, id: `${file}#${index}`, profile: file, version: 1 }))
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FileError(file, undefined, (error as Error).message)
  }
}

function judge(rules: readonly Rule[], readings: readonly Reading[]): Found[] {
  const bySensor = Map.groupBy(readings, ({ sensor }) => sensor)
  return [...bySensor]
    .flatMap(([sensor, of]) =>
      rules.flatMap((rule) => judgeReadings(rule, of).map((breach) => ({ sensor, rule, ...breach }))),
    )
    .toSorted((a, b) => a.startAt - b.startAt)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

function jsonOf(rules: readonly Rule[], readings: readonly Reading[], found: readonly Found[]): string {
  const breaches = found.map(({ rule, startAt, endAt, peakAt, lastAt, ...rest }) => ({
    ruleId: rule.id,
    severity: rule.severity,
    ...rest,
    startAt: iso(startAt),
    endAt: endAt === null ? null : iso(endAt),
    peakAt: iso(peakAt),
    lastAt: iso(lastAt),
  }))
  const span = { from: iso(readings[0]?.time ?? 0), to: iso(readings.at(-1)?.time ?? 0) }
  return JSON.stringify(
    { rules: rules.map(({ id }) => id), readings: readings.length, ...span, breaches },
    null,
    2,
  )
}

function tableOf(rules: readonly Rule[], readings: readonly Reading[], found: readonly Found[]): string {
  const table = new Table({
    head: ['sensor', 'rule', 'from', 'to', 'minutes', 'peak', 'readings'],
    style: { head: [], border: [] },
  })
  for (const { sensor, rule, startAt, endAt, lastAt, peak, readings: count } of found) {
    const minutes = Math.round(((endAt ?? lastAt) - startAt) / MINUTE_MS)
    table.push([sensor, rule.name, iso(startAt), endAt === null ? 'open' : iso(endAt), minutes, peak, count])
  }
  const span = `${iso(readings[0]?.time ?? 0)} to ${iso(readings.at(-1)?.time ?? 0)}`
  const counted = `${found.length} breaches by ${rules.length} rules in ${readings.length} readings, ${span}.`
  return found.length === 0 ? counted : `${table.toString()}\n${counted}`
}

program.parse()
