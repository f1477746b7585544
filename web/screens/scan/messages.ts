import { messages } from '../../messages.ts'

export const scanMessages = messages({
  en: {
    title: 'Scan',
    lead: 'Scan the code of a vial, a pack or a shipment: with the camera, or with a scanner at any time.',
    place: 'Place',
    camera: 'Use the camera',
    stopCamera: 'Stop the camera',
    picture: 'Camera picture',
    aim: 'Hold the code into the middle, close and still.',
    starting: 'The camera starts …',
    noCamera: 'There is no camera here that may be used. Allow it in the browser, or type the code.',
    insecure: 'The camera works only over https. Use a scanner, or type the code.',
    typed: 'Code',
    typedHint: 'As it stands below the symbol, with the parentheses.',
    look: 'Look it up',
    looking: 'Looking it up …',
    code: (code: string) => `Code: ${code}`,
    lot: (code: string) => `Lot ${code}`,
    expires: (day: string) => `Expires ${day}`,
    serial: (serial: string) => `Serial number ${serial}`,
    here: 'On hand here',
    nothingHere: 'Nothing of this lot is on hand here.',
    choosePlace: 'Choose a place to record what happens to it.',
    open: 'Open the item',
    warnings: {
      separatorMayBeMissing:
        'The scanner may have run two values together. Compare the lot with what is printed.',
      companionMissing: 'The code is not whole by itself. Scan the other code of the label too.',
      expired: 'The lot has expired: use none of it.',
      expiryDiffers: 'The code and the register say different expiry dates. Ask before you use it.',
      madeDiffers: 'The code and the register say different dates of manufacture. Ask before you use it.',
      recalled: 'The lot is recalled: put it aside, use none of it.',
      held: 'Some of it is on hold here.',
    },
    unknown: {
      tradeItem: (gtin: string) =>
        `The product ${gtin} is not known here. The programme has to register it before its stock can be recorded.`,
      lot: (lot: string) => `Lot ${lot} is not known yet.`,
      shipment: (sscc: string) =>
        `No shipment with the number ${sscc} is known here. It may be meant for another place.`,
      nothing: 'The code is right, but says nothing about a product or a shipment.',
    },
    askManager: 'Ask your manager to register it.',
    register: (lot: string) => `Register lot ${lot}`,
    registered: (lot: string) => `Lot ${lot}: registered.`,
    advice: {
      'scan.badCheckDigit':
        'The code was misread or the label is damaged. Clean and flatten it and scan again, or type it.',
      'scan.badDate':
        'The code was misread or printed wrongly. Scan again; if it stays so, take lot and expiry from the print.',
      'scan.separatorMissing':
        'The scanner leaves out the separator. Set it to send FNC1 as GS, or type the code.',
      'scan.notGs1': 'This is another sort of code. Look for the square or the long code beside it.',
      other: 'Scan again, or type the code as it stands below the symbol.',
    },
    form: {
      scan: 'Scan the lot',
      stop: 'Stop scanning',
      noLot: 'This code names no lot that is known.',
      otherItem: (about: string) => `This is ${about}, another item.`,
      notHere: (about: string) => `${about} is not among what can be chosen here.`,
      chosen: (about: string) => `Scanned: ${about}`,
    },
  },
  id: {
    title: 'Pindai',
    lead: 'Pindai kode vial, kemasan, atau kiriman: dengan kamera, atau dengan alat pemindai kapan saja.',
    place: 'Tempat',
    camera: 'Pakai kamera',
    stopCamera: 'Hentikan kamera',
    picture: 'Gambar kamera',
    aim: 'Arahkan kode ke tengah, dekat dan jangan bergerak.',
    starting: 'Kamera sedang dimulai …',
    noCamera: 'Tidak ada kamera yang boleh dipakai. Izinkan di peramban, atau ketik kodenya.',
    insecure: 'Kamera hanya berfungsi melalui https. Pakai alat pemindai, atau ketik kodenya.',
    typed: 'Kode',
    typedHint: 'Seperti tertulis di bawah simbol, dengan tanda kurungnya.',
    look: 'Cari',
    looking: 'Sedang mencari …',
    code: (code: string) => `Kode: ${code}`,
    lot: (code: string) => `Lot ${code}`,
    expires: (day: string) => `Kedaluwarsa ${day}`,
    serial: (serial: string) => `Nomor seri ${serial}`,
    here: 'Tersedia di sini',
    nothingHere: 'Lot ini tidak tersedia di sini.',
    choosePlace: 'Pilih tempat untuk mencatat pergerakannya.',
    open: 'Buka barang',
    warnings: {
      separatorMayBeMissing:
        'Alat pemindai mungkin menggabungkan dua nilai. Bandingkan lot dengan yang tercetak.',
      companionMissing: 'Kode ini tidak lengkap. Pindai juga kode lain pada label.',
      expired: 'Lot sudah kedaluwarsa: jangan dipakai.',
      expiryDiffers: 'Tanggal kedaluwarsa di kode dan di daftar berbeda. Tanyakan sebelum memakai.',
      madeDiffers: 'Tanggal produksi di kode dan di daftar berbeda. Tanyakan sebelum memakai.',
      recalled: 'Lot ini ditarik: sisihkan, jangan dipakai.',
      held: 'Sebagian sedang ditahan di sini.',
    },
    unknown: {
      tradeItem: (gtin: string) =>
        `Produk ${gtin} tidak dikenal di sini. Program harus mendaftarkannya sebelum stoknya dapat dicatat.`,
      lot: (lot: string) => `Lot ${lot} belum dikenal.`,
      shipment: (sscc: string) =>
        `Tidak ada kiriman dengan nomor ${sscc} di sini. Mungkin untuk tempat lain.`,
      nothing: 'Kodenya benar, tetapi tidak menyebut produk atau kiriman.',
    },
    askManager: 'Minta manajer Anda mendaftarkannya.',
    register: (lot: string) => `Daftarkan lot ${lot}`,
    registered: (lot: string) => `Lot ${lot}: terdaftar.`,
    advice: {
      'scan.badCheckDigit':
        'Kode salah terbaca atau label rusak. Bersihkan, ratakan, lalu pindai lagi, atau ketik kodenya.',
      'scan.badDate':
        'Kode salah terbaca atau salah cetak. Pindai lagi; bila tetap, ambil lot dan kedaluwarsa dari tulisan.',
      'scan.separatorMissing':
        'Alat pemindai menghilangkan pemisah. Atur agar mengirim FNC1 sebagai GS, atau ketik kodenya.',
      'scan.notGs1': 'Ini jenis kode lain. Cari kode persegi atau kode panjang di sebelahnya.',
      other: 'Pindai lagi, atau ketik kode seperti tertulis di bawah simbol.',
    },
    form: {
      scan: 'Pindai lot',
      stop: 'Berhenti memindai',
      noLot: 'Kode ini tidak menyebut lot yang dikenal.',
      otherItem: (about: string) => `Ini ${about}, barang lain.`,
      notHere: (about: string) => `${about} tidak ada dalam pilihan di sini.`,
      chosen: (about: string) => `Terpindai: ${about}`,
    },
  },
  fr: {
    title: 'Scanner',
    lead: 'Scannez le code d’un flacon, d’un carton ou d’une expédition : avec la caméra, ou avec un lecteur à tout moment.',
    place: 'Lieu',
    camera: 'Utiliser la caméra',
    stopCamera: 'Arrêter la caméra',
    picture: 'Image de la caméra',
    aim: 'Tenez le code au milieu, près et sans bouger.',
    starting: 'La caméra démarre …',
    noCamera: 'Aucune caméra n’est utilisable ici. Autorisez-la dans le navigateur, ou tapez le code.',
    insecure: 'La caméra ne marche qu’en https. Utilisez un lecteur, ou tapez le code.',
    typed: 'Code',
    typedHint: 'Comme il est écrit sous le symbole, avec les parenthèses.',
    look: 'Chercher',
    looking: 'Recherche …',
    code: (code: string) => `Code : ${code}`,
    lot: (code: string) => `Lot ${code}`,
    expires: (day: string) => `Expire le ${day}`,
    serial: (serial: string) => `Numéro de série ${serial}`,
    here: 'Disponible ici',
    nothingHere: 'Rien de ce lot n’est disponible ici.',
    choosePlace: 'Choisissez un lieu pour noter ce qui lui arrive.',
    open: 'Ouvrir l’article',
    warnings: {
      separatorMayBeMissing:
        'Le lecteur a peut-être collé deux valeurs. Comparez le lot avec ce qui est imprimé.',
      companionMissing: 'Le code n’est pas complet. Scannez aussi l’autre code de l’étiquette.',
      expired: 'Le lot est périmé : ne l’utilisez pas.',
      expiryDiffers:
        'Le code et le registre donnent des dates de péremption différentes. Demandez avant de l’utiliser.',
      madeDiffers:
        'Le code et le registre donnent des dates de fabrication différentes. Demandez avant de l’utiliser.',
      recalled: 'Le lot est rappelé : mettez-le de côté, ne l’utilisez pas.',
      held: 'Une partie est bloquée ici.',
    },
    unknown: {
      tradeItem: (gtin: string) =>
        `Le produit ${gtin} n’est pas connu ici. Le programme doit l’enregistrer avant que son stock puisse être noté.`,
      lot: (lot: string) => `Le lot ${lot} n’est pas encore connu.`,
      shipment: (sscc: string) =>
        `Aucune expédition avec le numéro ${sscc} n’est connue ici. Elle est peut-être pour un autre lieu.`,
      nothing: 'Le code est juste, mais ne dit rien d’un produit ni d’une expédition.',
    },
    askManager: 'Demandez à votre responsable de l’enregistrer.',
    register: (lot: string) => `Enregistrer le lot ${lot}`,
    registered: (lot: string) => `Lot ${lot} : enregistré.`,
    advice: {
      'scan.badCheckDigit':
        'Le code a été mal lu ou l’étiquette est abîmée. Nettoyez-la, aplatissez-la et rescannez, ou tapez le code.',
      'scan.badDate':
        'Le code a été mal lu ou mal imprimé. Rescannez ; sinon prenez lot et péremption de l’impression.',
      'scan.separatorMissing':
        'Le lecteur omet le séparateur. Réglez-le pour envoyer FNC1 comme GS, ou tapez le code.',
      'scan.notGs1': 'C’est une autre sorte de code. Cherchez le code carré ou le code long à côté.',
      other: 'Rescannez, ou tapez le code comme il est écrit sous le symbole.',
    },
    form: {
      scan: 'Scanner le lot',
      stop: 'Arrêter de scanner',
      noLot: 'Ce code ne nomme aucun lot connu.',
      otherItem: (about: string) => `C’est ${about}, un autre article.`,
      notHere: (about: string) => `${about} n’est pas parmi ce qui peut être choisi ici.`,
      chosen: (about: string) => `Scanné : ${about}`,
    },
  },
})
