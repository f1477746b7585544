/** EPCIS events that others sent us. What the ledger and the judge know themselves is not kept twice: it is mapped when it is asked for. */
export interface EpcisSchema {
  epcisCapture: EpcisCaptureTable
  epcisEvent: EpcisEventTable
}

/** One document that was sent. */
export interface EpcisCaptureTable {
  id: string
  userId: string
  /** Of the user; null: an administrator. */
  facilityId: string | null
  createdAt: number
  /** Null: the process ended before it was done; sending the document again does the rest. */
  finishedAt: number | null
  /** JSON: what became of each event. */
  outcomes: string | null
}

export interface EpcisEventTable {
  id: string
  /** SHA-256 over the eventID and whether it declares an error: unique, and indexable however long the eventID is. */
  identity: string
  eventId: string
  captureId: string
  /** Where it happened, if that is ours; else the facility of who sent it. */
  facilityId: string | null
  eventTime: number
  recordedAt: number
  /** JSON of the event. */
  body: string
  /** SHA-256 of the body. */
  bodyHash: string
  /** What the ledger made of it; null: nothing. */
  stockEventId: string | null
  /** Why not. */
  errorCode: string | null
}
