const PATHS = {
  alarm: 'M12 4 2.8 20h18.4L12 4Zm0 6v5m0 2.5v.1',
  back: 'm14 6-6 6 6 6',
  check: 'm5 13 4 4L19 7',
  close: 'm6 6 12 12M18 6 6 18',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4v5l3 2',
  down: 'm6 9 6 6 6-6',
  fridge: 'M6 3h12v18H6V3Zm0 7h12M9 6v1m0 6v3',
  home: 'm3 11 9-8 9 8M6 9v11h12V9',
  box: 'm3 7 9-4 9 4v10l-9 4-9-4V7Zm0 0 9 4 9-4m-9 4v10',
  list: 'M4 6h16M4 12h16M4 18h10',
  chart: 'M4 4v16h16M8 16v-4m4 4V8m4 8v-6',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm0-6v3m0 12v3M3 12h3m12 0h3M5.6 5.6l2.1 2.1m8.6 8.6 2.1 2.1m0-12.8-2.1 2.1m-8.6 8.6-2.1 2.1',
  offline: 'M3 3l18 18M5 12.5a10 10 0 0 1 4-2.5m6 .3a10 10 0 0 1 4 2.2M8.5 16a5 5 0 0 1 7 0M12 19.5v.1',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4 21c0-4 3.5-6 8-6s8 2 8 6',
  question: 'M9 9a3 3 0 1 1 4 2.8c-.7.3-1 .8-1 1.7M12 17.5v.1',
  scan: 'M4 8V4h4m8 0h4v4m0 8v4h-4m-8 0H4v-4M8 8v8m4-8v8m4-8v8',
  snow: 'M12 3v18M4.2 7.5l15.6 9M4.2 16.5l15.6-9',
  truck: 'M2 6h11v10H2V6Zm11 4h5l3 3v3h-8M6.5 16a2 2 0 1 0 .1 0Zm11 0a2 2 0 1 0 .1 0Z',
  up: 'M12 20V5m-6 6 6-6 6 6',
} as const

export type IconName = keyof typeof PATHS

/** A sign beside a word; screen readers hear the word. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
