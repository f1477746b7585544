// Runs in the page, as text: the programs of this folder know no browser.

/** What the browser itself saw since a page began: when the overview was drawn, how long clicks and tasks took. */
export const WATCH = `
  window.seen = { clicks: [], tasks: [] }
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === 'click') seen.clicks.push(duration)
  }).observe({ type: 'event', durationThreshold: 16 })
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.tasks.push(duration)
  }).observe({ type: 'longtask' })
  seen.painted = new Promise((resolve) => {
    const watch = setInterval(() => {
      const heads = [...document.querySelectorAll('main h2')].map(({ textContent }) => textContent)
      if (!heads.includes('Places') || !heads.some((head) => head.startsWith('Open breaches'))) return
      clearInterval(watch)
      requestAnimationFrame(() => resolve(performance.now()))
    }, 4)
  })
`

export const PAINTED_MS = 'seen.painted'
export const FORGET_TASKS = 'void seen.tasks.splice(0)'
export const TASKS = 'seen.tasks'

/** From the press to the next picture; the browser tells it in steps of 8 ms, and nothing below 16. */
export const WORST_CLICK_MS = `new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)))
  .then(() => Math.max(16, ...seen.clicks.splice(0)))`

export const SCRIPT_BYTES = `performance.getEntriesByType('resource')
  .filter(({ name }) => name.endsWith('.js'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`

/** Notes when a button was let go, and each drawing of a curve after it: that begins with a cleared canvas of its size. */
export const WATCH_DRAWING = `
  window.drawn = []
  addEventListener('pointerup', () => {
    drawn.length = 0
    window.releasedAt = performance.now()
  }, true)
  const clear = CanvasRenderingContext2D.prototype.clearRect
  CanvasRenderingContext2D.prototype.clearRect = function (...all) {
    clear.apply(this, all)
    if (this.canvas.height > 200) drawn.push(performance.now())
  }
`

const QUIET_MS = 400
export const IS_DRAWN = `drawn.length > 0 && performance.now() - drawn.at(-1) > ${QUIET_MS}`
/** Until the person sees that something happens, and until everything that was asked for is in the picture. */
export const DRAWN_MS = '[drawn[0] - releasedAt, drawn.at(-1) - releasedAt]'
