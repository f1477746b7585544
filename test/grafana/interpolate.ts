/** The time shown, and what Grafana makes of it for a panel. */
export interface Range {
  /** Epoch milliseconds. */
  readonly from: number
  readonly to: number
  readonly intervalMs: number
  /** The `timeInterval` of the data source: how often it is scraped. */
  readonly scrapeMs: number
}

/** Values of variables; `all`: the value of "all" as the dashboard gives it, which Grafana takes as it stands. */
export type Values = ReadonlyMap<string, { readonly values: readonly string[]; readonly all?: string }>

const seconds = (ms: number) => Math.max(1, Math.round(ms / 1000))

/**
 * Replaces macros and variables as Grafana does: `$name`, `${name}` and `${name:format}`. Of formats those that the dashboards use.
 * @throws for a variable or a format that it does not know, where Grafana would leave the text as it is
 */
export function interpolate(text: string, values: Values, range: Range): string {
  const { from, to, intervalMs, scrapeMs } = range
  const globals: Record<string, string> = {
    __from: String(from),
    __to: String(to),
    __interval: `${seconds(intervalMs)}s`,
    __interval_ms: String(intervalMs),
    __rate_interval: `${seconds(Math.max(intervalMs + scrapeMs, 4 * scrapeMs))}s`,
    __range: `${seconds(to - from)}s`,
    __range_s: String(seconds(to - from)),
    __range_ms: String(to - from),
  }
  return text.replaceAll(
    /\$(?:(\w+)|\{(\w+)(?::(\w+))?\})/g,
    (_, plain?: string, braced?: string, format?: string) => {
      const name = plain ?? braced ?? ''
      const global = globals[name]
      if (global !== undefined) return global
      const variable = values.get(name)
      if (!variable) throw new Error(`there is no variable ${name}`)
      return variable.all ?? write(variable.values, format)
    },
  )
}

function write(values: readonly string[], format: string | undefined): string {
  if (format === 'sqlstring') return values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',')
  if (format === 'regex') {
    const escaped = values.map((value) => value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, String.raw`\$&`))
    return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`
  }
  if (format === undefined && values.length === 1) return values[0] ?? ''
  throw new Error(`no format ${format} for ${values.length} values`)
}
