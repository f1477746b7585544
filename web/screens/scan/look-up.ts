import { toGtin14 } from '../../../domain/reference.ts'
import { call } from '../../api.ts'
import type { Scan } from '../../operations.ts'

/** Asks the API what a code is about. The number below a plain retail barcode is taken as the GTIN that it is. */
export async function lookUp(
  code: string,
  facilityId: string | undefined,
  signal?: AbortSignal,
): Promise<Scan> {
  const gtin = toGtin14(code.trim())
  return call('scanCode', {
    body: {
      code: gtin === undefined ? code : `01${gtin}`,
      ...(facilityId !== undefined && { facilityId }),
    },
    ...(signal && { signal }),
  })
}

/** The shipment whose address on our labels was scanned. */
export function shipmentIn(code: string): string | undefined {
  const { origin } = window.location
  const [, id] =
    /^\/shipments\/([0-9a-f-]{36})$/.exec(code.startsWith(origin) ? code.slice(origin.length) : '') ?? []
  return id
}
