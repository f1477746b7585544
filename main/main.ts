import { enableCompileCache, getCompileCacheDir } from 'node:module'

// The second start finds every file with its types already erased: faster, and some 35 MiB smaller, since the eraser is never loaded.
// The cache has to be on before the first import, hence this file.
enableCompileCache()
process.env.NODE_COMPILE_CACHE ??= getCompileCacheDir()
await import('./run.ts')
