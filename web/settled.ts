import { useEffect, useState } from 'react'

/** A person who types has come to an end when nothing was typed for this long. */
export const SETTLE_MS = 300

/** The value as it was when it last stood still, so that a question is asked once and not for every letter. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
