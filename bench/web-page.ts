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

/** From the next click until a curve with what was asked after it is in the picture. */
export const CURVE_DRAWN_MS = `new Promise((resolve) => {
  let clickedAt = 0
  let isAnswered = false
  addEventListener('click', () => (clickedAt = performance.now()), { capture: true, once: true })
  const ask = window.fetch
  window.fetch = async (...asked) => {
    const answer = await ask(...asked)
    if (String(asked[0]).includes('/readings')) isAnswered = true
    return answer
  }
  const watch = new MutationObserver((changes) => {
    const isCurve = (node) => node instanceof Element && node.matches('.uplot')
    if (!isAnswered || !changes.some(({ addedNodes }) => [...addedNodes].some(isCurve))) return
    watch.disconnect()
    window.fetch = ask
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - clickedAt)))
  })
  watch.observe(document.body, { childList: true, subtree: true })
})`
