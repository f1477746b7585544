import { defineConfig } from 'vite'

/** Where `npm run dev:web` finds the API. */
const API = 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  server: { proxy: { '/v1': API } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    // Scripts and styles come from files alone: the policy of the page lets nothing inline run.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
