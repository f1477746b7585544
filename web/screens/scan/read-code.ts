import {
  BarcodeFormat,
  BinaryBitmap,
  DecodeHintType,
  HybridBinarizer,
  MultiFormatReader,
  RGBLuminanceSource,
} from '@zxing/library'
import type { ReadCode } from './watch-camera.ts'

/** Larger pictures take longer, and a code that is held close needs no more. */
const SIDE_PX_MAX = 720

const hints = new Map<DecodeHintType, unknown>([
  [
    DecodeHintType.POSSIBLE_FORMATS,
    [
      BarcodeFormat.DATA_MATRIX,
      BarcodeFormat.CODE_128,
      BarcodeFormat.QR_CODE,
      BarcodeFormat.EAN_13,
      BarcodeFormat.EAN_8,
      BarcodeFormat.UPC_A,
      BarcodeFormat.ITF,
    ],
  ],
  // FNC1 as GS.
  [DecodeHintType.ASSUME_GS1, true],
  [DecodeHintType.TRY_HARDER, true],
])
const reader = new MultiFormatReader()
reader.setHints(hints)
const canvas = document.createElement('canvas')

/** For browsers that read no codes themselves: what is in the middle of the picture. */
export const readCode: ReadCode = async (video) => {
  const side = Math.min(video.videoWidth, video.videoHeight)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (side === 0 || !context) return undefined
  const px = Math.min(side, SIDE_PX_MAX)
  canvas.width = px
  canvas.height = px
  const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2]
  context.drawImage(video, x, y, side, side, 0, 0, px, px)
  const source = new RGBLuminanceSource(greyOf(context.getImageData(0, 0, px, px).data), px, px)
  try {
    return reader.decodeWithState(new BinaryBitmap(new HybridBinarizer(source))).getText()
  } catch {
    // It throws for a picture without a code.
    return undefined
  }
}

function greyOf(rgba: Uint8ClampedArray): Uint8ClampedArray {
  const grey = new Uint8ClampedArray(rgba.length / 4)
  for (let at = 0; at < grey.length; at++) {
    const [r = 0, g = 0, b = 0] = rgba.subarray(at * 4, at * 4 + 3)
    grey[at] = (r * 306 + g * 601 + b * 117) >> 10
  }
  return grey
}
