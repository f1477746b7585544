/** From the least to the most urgent. */
export const LOG_LEVEL_NAMES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** What the logs are narrowed to; in the address, so that what was found can be sent to a colleague. */
export interface LogSearch {
  readonly level?: (typeof LOG_LEVEL_NAMES)[number]
  readonly part?: string
  /** RFC 3339. */
  readonly from?: string
  readonly to?: string
  readonly requestId?: string
  readonly deviceId?: string
  readonly userId?: string
  readonly text?: string
}
