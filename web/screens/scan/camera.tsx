import { useEffect, useRef, useState } from 'react'
import { useMessages } from '../../messages.ts'
import { scanMessages } from './messages.ts'
import styles from './scan.module.css'
import { watchCamera, type CameraState } from './watch-camera.ts'

/** The picture of the camera, in which codes are looked for until it goes. */
export function Camera({ onCode }: { readonly onCode: (code: string) => void }) {
  const t = useMessages(scanMessages)
  const video = useRef<HTMLVideoElement>(null)
  const latest = useRef(onCode)
  const [state, setState] = useState<CameraState>('starting')
  useEffect(() => {
    latest.current = onCode
  })
  useEffect(() => {
    if (!video.current) return
    const stop = new AbortController()
    void watchCamera(video.current, stop.signal, {
      onCode: (code) => latest.current(code),
      onState: setState,
    })
    return () => stop.abort()
  }, [])
  const said = { starting: t.starting, on: t.aim, none: t.noCamera, insecure: t.insecure }
  return (
    <div className={styles['camera']}>
      <video ref={video} muted playsInline aria-label={t.picture} hidden={state !== 'on'} />
      <p role="status">{said[state]}</p>
    </div>
  )
}
