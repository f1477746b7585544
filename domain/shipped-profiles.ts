/** What the profiles that ship are called; their rules are in `shipped-rules.ts`. */
export const SHIPPED_PROFILES: Readonly<
  Record<string, { readonly name: string; readonly description: string }>
> = {
  'who-30dtr': {
    name: 'Vaccine refrigerator, 30-day recorder (WHO)',
    description: 'WHO PQS E006/TR06: +2 to +8 °C.',
  },
}
