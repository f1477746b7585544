import { Command, InvalidArgumentError, Option } from 'commander'
import { ApiError } from './api.ts'
import { expectCommand, listCommand } from './commands/expect.ts'
import { FAILURES, fleetCommand, type FleetFlags } from './commands/fleet.ts'
import { scenarioCommand, type ScenarioFlags } from './commands/scenario.ts'
import { DeviceError } from './device.ts'

/** 1: something else; 2: wrong usage (commander's); 3: a server does not answer; 4: it refuses the password or token; 5: not as expected. */
const EXIT = { other: 1, usage: 2, unreachable: 3, unauthorized: 4 } as const

const program = new Command('simulate')
  .description(
    'Simulated refrigerators that speak to Coldstream as real ones do: MQTT for readings, HTTP for the rest.',
  )
  .showHelpAfterError('(add --help for the options)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.usage))
  .addHelpText(
    'after',
    `
Examples:
  npm run simulate -- list
  npm run simulate -- scenario power-cut --password SECRET
  npm run simulate -- scenario freezing-night --ending-now --password SECRET
  npm run simulate -- fleet --devices 50 --ago 1d --speed 3600 --failing 3:power-cut,7:refrigerant-leak
  npm run simulate -- expect

Durations: a number and a unit: 500ms, 30s, 10m, 12h, 7d.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no answer from the server, 4 wrong password or token, 5 not the expected breaches.`,
  )

withServer(program.command('fleet'))
  .description('Register refrigerators and run them over MQTT until Ctrl-C.')
  .option('--devices <n>', 'how many', count, 10)
  .option('--speed <n>', 'simulated seconds per real second, until now is reached', positive, 1)
  .option('--ago <duration>', 'how long ago simulated time begins', duration, 0)
  .addOption(
    new Option('--cadence <duration>', 'simulated time between two readings')
      .argParser(duration)
      .default(600_000, '10m'),
  )
  .option('--for <duration>', 'stop after this much simulated time (default: never)', duration)
  .option('--seed <n>', 'seed of the first refrigerator', count, 1)
  .addOption(
    new Option(
      '--failing <list>',
      `which fail from the start, as n:kind, from 1; kinds: ${FAILURES.join(', ')}`,
    )
      .argParser(failing)
      .default([], 'none'),
  )
  .action((flags: FleetFlags) => guarded(() => fleetCommand(flags)))

withServer(program.command('scenario <name>'))
  .description('Play a scenario over MQTT, then compare the breaches in the API with the expected ones.')
  .option('--speed <n>', 'simulated seconds per real second (default: as fast as acknowledged)', positive)
  .option(
    '--ending-now',
    'move its times so that it ends now: people are notified only of what is recent',
    false,
  )
  .action((name: string, flags: ScenarioFlags) => guarded(() => scenarioCommand(name, flags)))

program
  .command('expect')
  .description(
    'Compute the breaches that each scenario must give and compare them with simulators/scenarios/expected.',
  )
  .option('--write', 'write the files instead', false)
  .action((flags: { write: boolean }) => guarded(() => expectCommand(flags.write)))

program
  .command('list')
  .description('List the scenarios.')
  .action(() => guarded(async () => listCommand()))

// An empty variable counts as unset, as it does for the server.
if (process.env.ADMIN_PASSWORD === '') delete process.env.ADMIN_PASSWORD
await program.parseAsync()

function withServer(command: Command): Command {
  return command
    .option('--http <url>', 'address of the API', 'http://localhost:8080')
    .option('--mqtt <url>', 'address of the broker', 'mqtt://localhost:1883')
    .option('--user <name>', 'who registers the devices', 'admin')
    .addOption(
      new Option('--password <text>', 'password of that user').env('ADMIN_PASSWORD').makeOptionMandatory(),
    )
}

async function guarded(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run()
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof DeviceError)) throw error
    console.error(`${error.message}\n${adviceFor(error.reason)}`)
    process.exitCode = error.reason === 'refused' ? EXIT.other : EXIT[error.reason]
  }
}

function adviceFor(reason: (ApiError | DeviceError)['reason']): string {
  switch (reason) {
    case 'unreachable':
      return 'Is the server running (npm start)? Give its addresses with --http and --mqtt.'
    case 'unauthorized':
      return 'Give the user with --user and the password with --password or ADMIN_PASSWORD.'
    case 'refused':
      return 'The server did not do what was asked of it.'
  }
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Not a whole number from 1 to 999999.')
  return Number(text)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Not a number above 0.')
  return value
}

function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (!match) throw new InvalidArgumentError('Not a duration such as 30s, 10m, 12h, 7d.')
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? ''] ?? NaN
  return Number(match[1]) * unitMs
}

function failing(text: string): FleetFlags['failing'] {
  return text.split(',').map((entry) => {
    const [number, name] = entry.split(':')
    const kind = FAILURES.find((known) => known === name)
    if (!kind || !/^[1-9]\d*$/.test(number ?? ''))
      throw new InvalidArgumentError(`"${entry}" is not n:kind with a kind of ${FAILURES.join(', ')}.`)
    return { index: Number(number) - 1, kind }
  })
}
