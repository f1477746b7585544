// Keeps the application itself for when there is no network. Answers of the API are never kept: they are somebody's.
const ASSETS = [] /* assets */
const SHELL = `coldstream-${ASSETS.join().length}-${ASSETS.join()
  .split('')
  .reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) | 0, 7)}`

// The server gives the page only to who asks for a page.
const PAGE = new Request('/', { headers: { accept: 'text/html' } })

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll([PAGE, '/icon.svg', '/manifest.webmanifest', ...ASSETS]))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin || /^\/(v1|api|docs)(\/|$)/.test(pathname))
    return
  if (request.mode === 'navigate')
    event.respondWith(fetch(request).catch(() => caches.match('/', { ignoreVary: true })))
  else event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)))
})
