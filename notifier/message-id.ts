import type { Content } from './message.ts'
import { capital, type Phrases } from './message-text.ts'
import { isOfValue, type Topic } from './topic.ts'

const UNITS = { day: 'hari', hour: 'jam', minute: 'menit' } as const
const ACKNOWLEDGE = 'Konfirmasi alarm ini dan tuliskan apa yang Anda lakukan.'
const NO_DISCARD =
  'Jangan membuang apa pun hanya karena alarm ini. Konfirmasi dan tuliskan apa yang Anda lakukan.'

/** Indonesian, in the words of the programme: rantai dingin, vaksin, VVM, uji kocok. */
export const indonesian: Phrases = {
  locale: 'id-ID',
  lessThanAMinute: 'kurang dari satu menit',
  count: (n, unit) => `${n} ${UNITS[unit]}`,
  trouble: {
    tooWarm: 'terlalu panas',
    tooCold: 'terlalu dingin',
    tooHigh: 'terlalu tinggi',
    tooLow: 'terlalu rendah',
    outOfRange: 'di luar batas',
    powerOut: 'tanpa listrik',
    doorOpen: 'terbuka terlalu lama',
    batteryLow: 'baterainya lemah',
    silent: 'tidak mengirim data',
    siteOutage: 'terputus',
    clockWrong: 'jamnya salah',
    calibrationOverdue: 'sudah waktunya dikalibrasi',
    sensorUnplugged: 'sensornya terlepas',
    stuck: 'nilainya tidak berubah',
    jumping: 'nilainya melompat-lompat',
    changingFast: 'berubah terlalu cepat',
  },
  kinds: {
    refrigerator: 'lemari es',
    freezer: 'freezer',
    'cold-room': 'kamar dingin',
    'cold-box': 'kotak dingin',
    vehicle: 'kendaraan',
  },
  reasons: {
    'sensor-lost': 'sensor hilang',
    'sensor-removed': 'sensor dilepas',
    'sensor-moved': 'sensor dipindahkan',
    'sensor-broken': 'sensor rusak',
    'false-alarm': 'alarm palsu',
    reviewed: 'sudah ditinjau',
    other: 'alasan lain',
  },
  causes: {
    power: 'listrik padam',
    battery: 'baterai alat habis',
    gateway: 'gateway mati',
    'connection-lost': 'alat kehilangan koneksi',
    disconnected: 'alat memutus koneksi',
  },
  where: (thing, site) => (site === undefined ? thing : `${thing} di ${site}`),
  headline: {
    wrong: (content, trouble) => `${capital(trouble)}${content.isAgain ? ' lagi' : ''}: ${named(content)}`,
    over: (content, trouble) => `Tadi ${trouble}, sudah berakhir: ${named(content)}`,
    still: (content, trouble) => `Masih ${trouble}: ${named(content)}`,
    back: (content) =>
      `${isOfValue(content.topic) ? 'Kembali dalam batas' : 'Kembali normal'}: ${place(content)}`,
    corrected: (content, trouble) => `Tadi ${trouble} selama ${content.duration}: ${place(content)}`,
    withdrawn: (content) => `Alarm ditarik: ${place(content)}`,
    closed: (content, trouble) => `Alarm ditutup (${trouble}): ${place(content)}`,
  },
  isWrong: (content, where, trouble) =>
    `${where} ${trouble}${content.isAgain ? ' lagi' : ''} sejak ${content.startAt}.` +
    (isOfValue(content.topic)
      ? `\nSampai sekarang ${content.duration}, hingga pembacaan terakhir di luar batas pada ${content.lastAt}.`
      : ''),
  stillWrong: (content, where, trouble) =>
    `${where} masih ${trouble}.\nIni mulai ${content.sinceStart} yang lalu, pada ${content.startAt}, dan belum ada yang mengonfirmasi.`,
  wasWrong: (content, where, trouble) =>
    `${where} ${trouble} dari ${content.startAt}${content.endAt === undefined ? '' : ` sampai ${content.endAt}`}, selama ${content.duration}.`,
  isBack: (content, where) =>
    `${where} kembali ${isOfValue(content.topic) ? 'dalam batas' : 'normal'}${content.endAt === undefined ? '' : ` sejak ${content.endAt}`}.`,
  corrected: 'Data yang datang kemudian menunjukkan akhir yang berbeda dari yang diberitahukan sebelumnya.',
  withdrawn: (content, where) =>
    `Alarm tentang ${where} pada ${content.startAt} ditarik: data yang datang kemudian menunjukkan ` +
    'bahwa batas tidak dilanggar selama yang disebut aturan. Tidak ada yang perlu dilakukan.',
  closed: (content, where, trouble) =>
    `Alarm tentang ${where} (${trouble} sejak ${content.startAt}) ditutup: ${indonesian.reasons[content.closeReason ?? 'other']}.` +
    (content.closeComment === undefined ? '' : `\n“${content.closeComment}”`),
  overAlready: 'Ini sudah berakhir.',
  peak: (content) => `${peakName(content.topic)}: ${content.peak}, pada ${content.peakAt}.`,
  rule: (content) => `Aturannya: ${content.ruleName}.`,
  cause: (cause) => `Kemungkinan penyebab: ${cause}.`,
  members: (content) => `Yang terkena: ${content.members.join('; ')}.`,
  whatToDo: 'Yang harus dilakukan sekarang:',
  steps,
  afterwards,
  inShort: {
    tooWarm: 'Periksa pintu dan listrik.',
    tooCold: 'Periksa termostat. Uji kocok dulu sebelum memakai vaksin peka beku.',
    tooHigh: 'Periksa alat.',
    tooLow: 'Periksa alat.',
    outOfRange: 'Periksa alat.',
    powerOut: 'Periksa steker dan sekering, jangan buka pintu.',
    doorOpen: 'Tutup pintunya.',
    batteryLow: 'Isi atau ganti baterai.',
    silent: 'Baca termometer; periksa alat.',
    siteOutage: 'Periksa listrik dan jaringan.',
    clockWrong: 'Setel jam alat.',
    calibrationOverdue: 'Kalibrasi sensornya.',
    sensorUnplugged: 'Pasang sensornya.',
    stuck: 'Periksa sensor.',
    jumping: 'Periksa sensor.',
    changingFast: 'Periksa pintu.',
  },
  shortSince: (content) => `Sejak ${content.shortStartAt}`,
  origin: { device: 'Alat', sensor: 'sensor', breach: 'Pelanggaran' },
  test: {
    subject: 'UJI COBA: pesan uji coba dari Coldstream',
    text: 'Ini uji coba. Alarm akan sampai kepada Anda seperti ini. Tidak ada yang perlu dilakukan.',
  },
}

function place({ thing, place: site }: Content): string {
  return site === undefined ? thing : `${thing}, ${site}`
}

function named(content: Content): string {
  return isOfValue(content.topic) ? `${place(content)}, ${content.peak}` : place(content)
}

function peakName(topic: Topic): string {
  switch (topic) {
    case 'tooWarm':
      return 'Terpanas'
    case 'tooCold':
      return 'Terdingin'
    case 'tooHigh':
      return 'Tertinggi'
    case 'tooLow':
    case 'batteryLow':
      return 'Terendah'
    default:
      return 'Terjauh'
  }
}

function steps(content: Content, unit: string): readonly string[] {
  switch (content.topic) {
    case 'tooWarm':
      return [
        `Pastikan pintu tertutup dan ${unit} mendapat listrik.`,
        `Jika suhu tidak turun, pindahkan vaksin ke ${unit} yang berfungsi.`,
        'Baca VVM sebelum memakai vaksin ini.',
        NO_DISCARD,
      ]
    case 'tooCold':
      return [
        ...(content.kind === 'freezer'
          ? []
          : [`Jangan memakai vaksin peka beku dari ${unit} ini sebelum uji kocok.`]),
        `Periksa termostat dan sensor. Jika suhu tidak naik, pindahkan vaksin ke ${unit} yang berfungsi.`,
        NO_DISCARD,
      ]
    default:
      return [...OTHER_STEPS[content.topic], ACKNOWLEDGE]
  }
}

const LOOK = ['Periksa peralatan dan sensornya.']
const SENSOR = ['Periksa sensor dan kabelnya; sampai berfungsi, baca termometer dua kali sehari.']

const OTHER_STEPS: Readonly<Record<Exclude<Topic, 'tooWarm' | 'tooCold'>, readonly string[]>> = {
  tooHigh: LOOK,
  tooLow: LOOK,
  outOfRange: LOOK,
  powerOut: [
    'Periksa steker, sekering, dan apakah ada listrik di gedung. Jangan buka pintu.',
    'Jika listrik tidak menyala kembali, nyalakan genset atau pindahkan vaksin sebelum menjadi hangat.',
  ],
  doorOpen: ['Tutup pintu, dan pastikan karetnya bersih.'],
  batteryLow: ['Isi atau ganti baterai alat: tanpa baterai, alarm berikutnya tidak akan terdengar.'],
  silent: [
    'Baca termometer peralatan: tidak ada yang tahu suhunya.',
    'Pastikan alat menyala, terisi daya, dan terjangkau jaringan.',
  ],
  siteOutage: [
    'Periksa apakah tempat ini mendapat listrik dan jaringan; baca termometer di sana.',
    'Jika listrik tidak menyala kembali, jangan buka pintu dan siapkan pemindahan vaksin.',
  ],
  clockWrong: ['Setel jam alat: waktu pembacaannya tidak dapat dipercaya.'],
  calibrationOverdue: ['Kalibrasi sensor, atau pasang sensor yang sudah dikalibrasi.'],
  sensorUnplugged: ['Pasang kembali sensor, dan periksa kabelnya.'],
  stuck: SENSOR,
  jumping: SENSOR,
  changingFast: ['Periksa pintu, dan apakah barang hangat dimasukkan.'],
}

function afterwards(content: Content, unit: string): string {
  switch (content.topic) {
    case 'tooWarm':
      return 'Sebelum memakai vaksin ini, baca VVM-nya. Jangan membuang hanya karena alarm ini.'
    case 'tooCold':
      if (content.kind === 'freezer') return 'Periksa termostat dan sensor.'
      return (
        `Jangan memakai vaksin peka beku dari ${unit} ini sebelum uji kocok. ` +
        'Jangan membuang hanya karena alarm ini.'
      )
    case 'silent':
    case 'siteOutage':
      return 'Lihat data dari waktu itu, yang mungkin masih akan datang.'
    case 'powerOut':
      return 'Pastikan suhu tetap dalam batas.'
    default:
      return 'Periksa peralatan dan cari tahu sebabnya.'
  }
}
