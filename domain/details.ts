/**
 * What fixed sentences of errors say in the other languages. A sentence that is made of what somebody sent stays English: its code, its title
 * and its numbers are what a program reads.
 */
export const DETAILS: Readonly<Record<string, { readonly id: string; readonly fr: string }>> = {
  'A lot is recalled by the national level.': {
    id: 'Bets ditarik oleh tingkat nasional.',
    fr: 'Un lot est rappelé par le niveau national.',
  },
  'Only administrators make roots; give a parentId.': {
    id: 'Hanya administrator yang membuat akar; berikan parentId.',
    fr: 'Seuls les administrateurs créent des racines ; donnez un parentId.',
  },
  'This is the root of your own part.': {
    id: 'Ini adalah akar dari bagian Anda sendiri.',
    fr: 'C’est la racine de votre propre partie.',
  },
  'Use POST /v1/me/password for your own.': {
    id: 'Untuk kata sandi Anda sendiri gunakan POST /v1/me/password.',
    fr: 'Pour le vôtre, utilisez POST /v1/me/password.',
  },
  'You may not change your own role, place or state.': {
    id: 'Anda tidak boleh mengubah peran, tempat, atau status Anda sendiri.',
    fr: 'Vous ne pouvez pas changer votre propre rôle, lieu ou état.',
  },
  'type is none of EPCIS 2.0.': {
    id: 'type bukan salah satu dari EPCIS 2.0.',
    fr: 'type n’est pas un de ceux d’EPCIS 2.0.',
  },
  'It is no batch: discard it.': {
    id: 'Ini bukan batch: buanglah.',
    fr: 'Ce n’est pas un lot de messages : écartez-le.',
  },
  'Nothing is allocated.': { id: 'Belum ada yang dialokasikan.', fr: 'Rien n’est alloué.' },
  'The receipt under this id was taken back.': {
    id: 'Penerimaan dengan id ini telah dibatalkan.',
    fr: 'La réception sous cet id a été annulée.',
  },
  'A column is there twice.': { id: 'Sebuah kolom ada dua kali.', fr: 'Une colonne figure deux fois.' },
  'Administrators have no facilityId, and everybody else has one.': {
    id: 'Administrator tidak memiliki facilityId, dan semua yang lain memilikinya.',
    fr: 'Les administrateurs n’ont pas de facilityId, tous les autres en ont un.',
  },
  'An item is named twice.': { id: 'Sebuah item disebut dua kali.', fr: 'Un article est nommé deux fois.' },
  'Idempotency-Key has 1 to 128 visible ASCII characters.': {
    id: 'Idempotency-Key terdiri dari 1 sampai 128 karakter ASCII yang terlihat.',
    fr: 'Idempotency-Key a de 1 à 128 caractères ASCII visibles.',
  },
  'If-Match takes the ETag of an answer, such as "3".': {
    id: 'If-Match berisi ETag dari sebuah jawaban, misalnya "3".',
    fr: 'If-Match prend l’ETag d’une réponse, par exemple "3".',
  },
  'code has the form of an id.': { id: 'code berbentuk id.', fr: 'code a la forme d’un id.' },
  'cursor is not one that this list has given.': {
    id: 'cursor bukan yang diberikan oleh daftar ini.',
    fr: 'cursor n’est pas de ceux que cette liste a donnés.',
  },
  'dosesPerPerson needs the itemId that it is about.': {
    id: 'dosesPerPerson memerlukan itemId yang dimaksud.',
    fr: 'dosesPerPerson demande l’itemId dont il s’agit.',
  },
  'every is shorter than a second.': {
    id: 'every lebih pendek dari satu detik.',
    fr: 'every est plus court qu’une seconde.',
  },
  'from is not a day of the calendar.': {
    id: 'from bukan tanggal dalam kalender.',
    fr: 'from n’est pas un jour du calendrier.',
  },
  'from is not before to.': { id: 'from tidak sebelum to.', fr: 'from n’est pas avant to.' },
  'nextPageToken is not one that a page has given.': {
    id: 'nextPageToken bukan yang diberikan oleh sebuah halaman.',
    fr: 'nextPageToken n’est pas de ceux qu’une page a donnés.',
  },
  'since is not a cursor that this list has given.': {
    id: 'since bukan cursor yang diberikan oleh daftar ini.',
    fr: 'since n’est pas un curseur que cette liste a donné.',
  },
  'storagePointId says where it goes.': {
    id: 'storagePointId menyatakan ke mana tujuannya.',
    fr: 'storagePointId dit où cela va.',
  },
  'to is not a day of the calendar.': {
    id: 'to bukan tanggal dalam kalender.',
    fr: 'to n’est pas un jour du calendrier.',
  },
  'The file is not UTF-8.': { id: 'Berkas bukan UTF-8.', fr: 'Le fichier n’est pas en UTF-8.' },
  'The row is not as wide as the header.': {
    id: 'Baris tidak selebar kepala tabel.',
    fr: 'La ligne n’est pas aussi large que l’en-tête.',
  },
  'Too many live streams are open.': {
    id: 'Terlalu banyak aliran langsung yang terbuka.',
    fr: 'Trop de flux en direct sont ouverts.',
  },
  'A device behind a gateway has no token of its own.': {
    id: 'Perangkat di belakang gateway tidak memiliki token sendiri.',
    fr: 'Un appareil derrière une passerelle n’a pas de jeton à lui.',
  },
  'A facility cannot lie below itself.': {
    id: 'Fasilitas tidak dapat berada di bawah dirinya sendiri.',
    fr: 'Un établissement ne peut pas se trouver sous lui-même.',
  },
  'Another facility has this code or GLN.': {
    id: 'Fasilitas lain memiliki kode atau GLN ini.',
    fr: 'Un autre établissement a ce code ou ce GLN.',
  },
  'Its device is gone.': { id: 'Perangkatnya sudah tidak ada.', fr: 'Son appareil n’existe plus.' },
  'Its gateway has another device of this name.': {
    id: 'Gateway-nya memiliki perangkat lain dengan nama ini.',
    fr: 'Sa passerelle a un autre appareil de ce nom.',
  },
  'Of a packet beyond the limit only the beginning was kept.': {
    id: 'Dari paket yang melebihi batas hanya bagian awal yang disimpan.',
    fr: 'D’un paquet au-delà de la limite, seul le début a été gardé.',
  },
  'The device is disabled.': { id: 'Perangkat dinonaktifkan.', fr: 'L’appareil est désactivé.' },
  'The id or the SSCC is taken.': {
    id: 'Id atau SSCC sudah dipakai.',
    fr: 'L’id ou le SSCC est déjà pris.',
  },
  'This user name is taken.': {
    id: 'Nama pengguna ini sudah dipakai.',
    fr: 'Ce nom d’utilisateur est déjà pris.',
  },
  'The database does not answer.': {
    id: 'Basis data tidak menjawab.',
    fr: 'La base de données ne répond pas.',
  },
  'The server is stopping.': { id: 'Server sedang berhenti.', fr: 'Le serveur s’arrête.' },
  'The password is the user name, or hardly more than one character repeated.': {
    id: 'Kata sandi sama dengan nama pengguna, atau hampir hanya satu karakter yang diulang.',
    fr: 'Le mot de passe est le nom d’utilisateur, ou à peine plus d’un caractère répété.',
  },
  'The manufacturer has one of this name, without a GTIN, for the item.': {
    id: 'Produsen sudah memiliki produk dengan nama ini, tanpa GTIN, untuk item tersebut.',
    fr: 'Le fabricant en a déjà un de ce nom, sans GTIN, pour cet article.',
  },
  'The body does not match its schema.': {
    id: 'Isi permintaan tidak sesuai dengan skemanya.',
    fr: 'Le corps ne correspond pas à son schéma.',
  },
  'The querystring does not match its schema.': {
    id: 'Kueri tidak sesuai dengan skemanya.',
    fr: 'La chaîne de requête ne correspond pas à son schéma.',
  },
  'The params does not match its schema.': {
    id: 'Parameter alamat tidak sesuai dengan skemanya.',
    fr: 'Les paramètres de l’adresse ne correspondent pas à leur schéma.',
  },
  'workingHours.to is not after workingHours.from.': {
    id: 'workingHours.to tidak sesudah workingHours.from.',
    fr: 'workingHours.to n’est pas après workingHours.from.',
  },
  'The place has one of this severity, or of this name, already.': {
    id: 'Tempat ini sudah memilikinya dengan tingkat keparahan atau nama ini.',
    fr: 'Ce lieu en a déjà une de cette gravité ou de ce nom.',
  },
  'rota.startsOn is not a date.': {
    id: 'rota.startsOn bukan tanggal.',
    fr: 'rota.startsOn n’est pas une date.',
  },
  'A shift ends before it begins.': {
    id: 'Sebuah giliran berakhir sebelum dimulai.',
    fr: 'Un tour finit avant de commencer.',
  },
  'Other previews are under way.': {
    id: 'Pratinjau lain sedang berjalan.',
    fr: 'D’autres aperçus sont en cours.',
  },
  'Too many alarms for one row: ask for a shorter period.': {
    id: 'Terlalu banyak alarm untuk satu baris: mintalah periode yang lebih pendek.',
    fr: 'Trop d’alarmes pour une seule ligne : demandez une période plus courte.',
  },
  'low is not below high.': {
    id: 'low tidak di bawah high.',
    fr: 'low n’est pas au-dessous de high.',
  },
  'calibratedAt lies in the future.': {
    id: 'calibratedAt terletak di masa depan.',
    fr: 'calibratedAt est dans le futur.',
  },
  // What is said of one field, after its name.
  'a lot cannot come from itself': {
    id: 'sebuah bets tidak dapat berasal dari dirinya sendiri',
    fr: 'un lot ne peut pas venir de lui-même',
  },
  'comes with profile only': {
    id: 'hanya bersama profile',
    fr: 'ne va qu’avec profile',
  },
  'give either rules or a profile': {
    id: 'berikan rules atau sebuah profile',
    fr: 'donnez soit rules, soit un profil',
  },
  'give just one of deviceId, equipmentId, facilityId': {
    id: 'berikan hanya satu dari deviceId, equipmentId, facilityId',
    fr: 'donnez un seul de deviceId, equipmentId, facilityId',
  },
  'holds for all equipment, and is given to none': {
    id: 'berlaku untuk semua peralatan, dan tidak diberikan kepada satu pun',
    fr: 'vaut pour tout équipement, et n’est donné à aucun',
  },
  'is above maxDoses': {
    id: 'di atas maxDoses',
    fr: 'est au-dessus de maxDoses',
  },
  'is empty': {
    id: 'kosong',
    fr: 'est vide',
  },
  'is missing: a place has both or none': {
    id: 'tidak ada: sebuah tempat punya keduanya atau tidak sama sekali',
    fr: 'manque : un lieu a les deux ou aucun',
  },
  'is more than 400 days before to': {
    id: 'lebih dari 400 hari sebelum to',
    fr: 'est plus de 400 jours avant to',
  },
  'is none of the profile': {
    id: 'bukan milik profil ini',
    fr: 'n’est pas de ce profil',
  },
  'is not a profile; see GET /v1/profiles': {
    id: 'bukan sebuah profil; lihat GET /v1/profiles',
    fr: 'n’est pas un profil ; voir GET /v1/profiles',
  },
  'is not an IANA time zone': {
    id: 'bukan zona waktu IANA',
    fr: 'n’est pas un fuseau horaire IANA',
  },
  'is not before to': {
    id: 'tidak sebelum to',
    fr: 'n’est pas avant to',
  },
  'is the profile itself': {
    id: 'adalah profil itu sendiri',
    fr: 'est le profil lui-même',
  },
  'its check digit is wrong': {
    id: 'digit pemeriksanya salah',
    fr: 'son chiffre de contrôle est faux',
  },
  'lies in the future': {
    id: 'terletak di masa depan',
    fr: 'est dans le futur',
  },
  'stock of the item was recorded': {
    id: 'stok item ini sudah dicatat',
    fr: 'du stock de cet article a été enregistré',
  },
  'the item has no such lot': {
    id: 'item ini tidak punya bets itu',
    fr: 'l’article n’a pas ce lot',
  },
  'there is no facility of this id': {
    id: 'tidak ada fasilitas dengan id ini',
    fr: 'aucun établissement n’a cet id',
  },
  'there is no such facility': {
    id: 'fasilitas itu tidak ada',
    fr: 'cet établissement n’existe pas',
  },
  'there is no such item': {
    id: 'item itu tidak ada',
    fr: 'cet article n’existe pas',
  },
  'there is no such manufacturer': {
    id: 'produsen itu tidak ada',
    fr: 'ce fabricant n’existe pas',
  },
  'there is no such trade item': {
    id: 'barang dagang itu tidak ada',
    fr: 'cet article commercial n’existe pas',
  },
}
