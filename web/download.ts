import { ask, type Asked, type OperationId } from './api.ts'

/** A browser has begun to save by then. */
const KEPT_MS = 60_000

/** Saves the answer of an operation as a file. @throws Problem for a refusal, TypeError without a network */
export async function download<K extends OperationId>(
  operation: K,
  asked: Asked<K>,
  name: string,
): Promise<void> {
  const response = await ask(operation, asked)
  saveFile(await response.blob(), name)
}

/** Gives a file to the person. */
export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS)
}
