export interface LogsSchema {
  logEntry: LogEntryTable
}

/** What a part said. In the embedded deployment it is kept in a file of its own, `logs.sqlite`, and this table is empty in the other. */
export interface LogEntryTable {
  /** UUIDv7 of the time at which it was said, so that the order of ids is that of times. */
  id: string
  at: number
  /** As pino counts: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  level: number
  part: string
  message: string
  requestId: string | null
  deviceId: string | null
  userId: string | null
  traceId: string | null
  /** JSON of whatever else was said. */
  data: string | null
  /** Roughly, with all of it. */
  bytes: number
}
