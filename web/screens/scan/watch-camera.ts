/** `none`: there is no camera, or it may not be used; `insecure`: browsers give it only over https. */
export type CameraState = 'starting' | 'on' | 'none' | 'insecure'

/** What the picture shows now; undefined when there is no code in it. */
export type ReadCode = (video: HTMLVideoElement) => Promise<string | undefined>

/** Often enough to feel quick, seldom enough for the battery of a phone. */
const LOOK_EVERY_MS = 200

interface Told {
  readonly onCode: (code: string) => void
  readonly onState: (state: CameraState) => void
}

/** Looks for codes in what the camera sees until the signal; the same code in sight is told once. */
export async function watchCamera(video: HTMLVideoElement, signal: AbortSignal, told: Told): Promise<void> {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) {
    told.onState(window.isSecureContext ? 'none' : 'insecure')
    return
  }
  try {
    const wanted = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } }
    const stream = await devices.getUserMedia({ audio: false, video: wanted })
    const stop = () => {
      for (const track of stream.getTracks()) track.stop()
    }
    if (signal.aborted) {
      stop()
      return
    }
    signal.addEventListener('abort', stop)
    video.srcObject = stream
    await video.play()
    told.onState('on')
    await look(video, signal, told.onCode)
  } catch {
    if (!signal.aborted) told.onState('none')
  }
}

async function look(
  video: HTMLVideoElement,
  signal: AbortSignal,
  onCode: (code: string) => void,
): Promise<void> {
  const read = (await browserReader()) ?? (await import('./read-code.ts')).readCode
  for (let last = ''; !signal.aborted; await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))) {
    // A picture that cannot be read is like one without a code.
    const code = await read(video).catch(() => undefined)
    if (code === undefined || code === last || signal.aborted) continue
    last = code
    onCode(code)
  }
}

const FORMATS = ['data_matrix', 'code_128', 'qr_code', 'ean_13', 'ean_8', 'upc_a', 'itf']

interface BarcodeDetector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>
}
interface BarcodeDetectors {
  new (options: { readonly formats: readonly string[] }): BarcodeDetector
  getSupportedFormats(): Promise<readonly string[]>
}

/** The browser's own, where it has one that knows what is on vials. */
async function browserReader(): Promise<ReadCode | undefined> {
  const { BarcodeDetector: Detector } = globalThis as { BarcodeDetector?: BarcodeDetectors }
  const known = (await Detector?.getSupportedFormats().catch(() => [])) ?? []
  if (!Detector || !known.includes('data_matrix')) return undefined
  const detector = new Detector({ formats: FORMATS.filter((format) => known.includes(format)) })
  return async (video) => (await detector.detect(video))[0]?.rawValue
}
