/** What the profiles that ship are called; their rules are in `shipped-rules.ts`. */
export const SHIPPED_PROFILES: Readonly<
  Record<string, { readonly name: string; readonly description: string }>
> = {
  'who-30dtr': {
    name: 'Vaccine refrigerator, 30-day recorder (WHO)',
    description: 'WHO PQS E006/TR06: +2 to +8 °C.',
  },
  'cold-room': {
    name: 'Walk-in cold room (WHO)',
    description: 'WHO PQS E006/TR03: +2 to +8 °C; its delays are those of a refrigerator.',
  },
  freezer: {
    name: 'Freezer or freezer room (WHO)',
    description: 'WHO PQS E006/TR03: -25 to -15 °C.',
  },
  'ultra-cold': {
    name: 'Ultra-low temperature freezer',
    description: 'As in Fridge-tag UL: -90 to -60 °C.',
  },
  'controlled-room-temperature': {
    name: 'Controlled room temperature (USP)',
    description: '20 to 25 °C, excursions between 15 and 30 °C; dry.',
  },
  'shipping-type-1': {
    name: 'Shipping, type 1: sensitive to heat and frost (WHO)',
    description: 'WHO PQS E006/TR07: DTP, HepB, IPV, penta, HPV, PCV and the like.',
  },
  'shipping-type-2': {
    name: 'Shipping, type 2: sensitive to heat, on frozen packs (WHO)',
    description: 'WHO PQS E006/TR07: BCG, measles, OPV, rota, yellow fever and the like.',
  },
  'us-vfc-refrigerator': { name: 'Refrigerator (US VFC)', description: '+2 to +8 °C.' },
  'us-vfc-freezer': { name: 'Freezer (US VFC)', description: 'At or below -15 °C.' },
  msupply: { name: 'Refrigerator (mSupply)', description: 'What mSupply mobile comes with: +2 to +8 °C.' },
  everywhere: {
    name: 'All equipment',
    description: 'Power, door, battery and sensor: holds beside the profile of any equipment.',
  },
}
