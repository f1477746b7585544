import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '..')
const source = join(root, 'web')
/** Where the built website is; `api` serves it, and nothing but this file writes it. */
export const WEBSITE_DIR = join(source, 'dist')
const PAGE = join(WEBSITE_DIR, 'index.html')

if (import.meta.main) await buildWebsite({ force: process.argv.includes('--force') })

/** Builds the website when there is none, or its sources are newer. Without the bundler, as in an installation for production, what is there stays. */
export async function buildWebsite({ force = false } = {}): Promise<void> {
  if (!force && !isStale()) return
  const vite = await import('vite').catch(() => undefined)
  if (!vite) return console.error('The website is not built: there is no bundler (npm ci installs it).')
  console.log('Building the website; the next start finds it built.')
  await vite.build({ configFile: join(source, 'vite.config.ts'), logLevel: 'error' })
  nameAssets()
  const { files, bytes } = compressAll()
  console.log(`The website is built: ${files} files, ${Math.round(bytes / 1024)} kB compressed.`)
}

function isStale(): boolean {
  if (!existsSync(PAGE)) return true
  const builtAt = statSync(PAGE).mtimeMs
  const inputs = [...filesIn(source), ...filesIn(join(root, 'domain')), join(root, 'package-lock.json')]
  return inputs.some((file) => !file.startsWith(WEBSITE_DIR) && statSync(file).mtimeMs > builtAt)
}

/** Tells the service worker what to keep for when there is no network. */
function nameAssets(): void {
  const worker = join(WEBSITE_DIR, 'sw.js')
  // Not the map: it is as large as all the rest, and a phone in a storeroom does without.
  const names = readdirSync(join(WEBSITE_DIR, 'assets'))
    .filter((name) => !name.endsWith('.json'))
    .map((name) => `/assets/${name}`)
  const text = readFileSync(worker, 'utf8').replace('[] /* assets */', JSON.stringify(names.toSorted()))
  writeFileSync(worker, text)
}

/** Once here, as small as it gets, and never again for a request. */
function compressAll(): { readonly files: number; readonly bytes: number } {
  const texts = filesIn(WEBSITE_DIR).filter((file) => /\.(js|css|html|json|svg|webmanifest)$/.test(file))
  let bytes = 0
  for (const file of texts) {
    const content = readFileSync(file)
    const br = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
    writeFileSync(`${file}.br`, br)
    writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
    bytes += br.length
  }
  return { files: texts.length, bytes }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
