import { useEffect, useRef } from 'react'

/** Nobody types two keys in less; a scanner that types does. */
const KEY_MS_MAX = 35
/** A burst that has not gone on for so long is over. */
const REST_MS = 150
/** Shorter is no code, but somebody who is quick. */
const CODE_CHARS_MIN = 6
const CODE_CHARS_MAX = 8000
const GS = '\u001d'

interface Burst {
  text: string
  /** Of the last key. */
  at: number
  timer: ReturnType<typeof setTimeout> | undefined
  /** Digits typed while Alt is held: how some scanners write a control character. */
  alt: string
}

/**
 * Hears a scanner that is a keyboard: keys that come faster than hands, ending with Enter. FNC1 comes as GS, as Ctrl+], as F8 or as Alt+029,
 * whatever the scanner is set to. What it types does not end in the field that has the focus, but for its first key, which is taken out again; what
 * turns out to be a person's goes where they typed it.
 */
export function useKeyboardScanner(onCode: (code: string) => void): void {
  const latest = useRef(onCode)
  useEffect(() => {
    latest.current = onCode
  })
  useEffect(() => {
    const burst: Burst = { text: '', at: 0, timer: undefined, alt: '' }
    const onKey = (event: KeyboardEvent) => hear(burst, event, (code) => latest.current(code))
    const onUp = (event: KeyboardEvent) => {
      if (event.key === 'Alt' && Number(burst.alt) === GS.charCodeAt(0)) add(burst, GS, event)
      if (event.key === 'Alt') burst.alt = ''
    }
    // Before the fields: what belongs to a code is kept from them.
    document.addEventListener('keydown', onKey, true)
    document.addEventListener('keyup', onUp, true)
    return () => {
      document.removeEventListener('keydown', onKey, true)
      document.removeEventListener('keyup', onUp, true)
      clearTimeout(burst.timer)
    }
  }, [])
}

function hear(burst: Burst, event: KeyboardEvent, onCode: (code: string) => void): void {
  if (event.isComposing || event.repeat) return
  if (event.altKey && /^\d$/.test(event.key)) {
    burst.alt += event.key
    return
  }
  if (event.key === 'Enter') {
    const { text } = burst
    const isCode = text.length >= CODE_CHARS_MIN && isQuick(burst, event)
    if (!isCode) {
      giveBack(burst)
      return
    }
    stop(event)
    end(burst)
    onCode(text)
    return
  }
  const typed = charOf(event)
  if (typed !== undefined) add(burst, typed, event)
}

function isQuick({ at }: Burst, event: KeyboardEvent): boolean {
  return event.timeStamp - at <= KEY_MS_MAX
}

/** What a key writes; undefined for one that writes nothing. */
function charOf({ key, ctrlKey, metaKey }: KeyboardEvent): string | undefined {
  if (key === GS || key === 'F8' || (ctrlKey && key === ']')) return GS
  return [...key].length === 1 && !ctrlKey && !metaKey ? key : undefined
}

function add(burst: Burst, typed: string, event: KeyboardEvent): void {
  if (!isQuick(burst, event)) giveBack(burst)
  if (burst.text.length >= CODE_CHARS_MAX) end(burst)
  // The first key of a burst looks like any other; the second tells.
  if (burst.text.length === 1) takeOut()
  if (burst.text.length >= 1 || typed === GS) stop(event)
  burst.text += typed
  burst.at = event.timeStamp
  clearTimeout(burst.timer)
  burst.timer = setTimeout(() => giveBack(burst), REST_MS)
}

function stop(event: KeyboardEvent): void {
  event.preventDefault()
  event.stopPropagation()
}

function end(burst: Burst): void {
  clearTimeout(burst.timer)
  burst.text = ''
  burst.at = 0
}

/** It was no code: what was kept from the field gets there after all. The first key is there unless a second one followed. */
function giveBack(burst: Burst): void {
  const { text } = burst
  end(burst)
  if (text.length > 1 && isField(document.activeElement))
    document.execCommand('insertText', false, text.replaceAll(GS, ''))
}

function takeOut(): void {
  if (isField(document.activeElement)) document.execCommand('delete')
}

function isField(element: Element | null): boolean {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
}
