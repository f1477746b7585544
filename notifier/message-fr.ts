import type { Content } from './message.ts'
import { capital, type Phrases } from './message-text.ts'
import { isOfValue, type Topic } from './topic.ts'

const UNITS = { day: 'jour', hour: 'heure', minute: 'minute' } as const
const ACKNOWLEDGE = 'Accusez réception de l’alarme et dites ce que vous avez fait.'
const NO_DISCARD =
  'Ne jetez rien à cause de cette seule alarme. Accusez réception et dites ce que vous avez fait.'

/** French. The trouble is a noun phrase, so that it agrees with whatever the refrigerator is called. */
export const french: Phrases = {
  locale: 'fr-FR',
  lessThanAMinute: 'moins d’une minute',
  // In French zero and one are singular.
  count: (n, unit) => `${n} ${UNITS[unit]}${n > 1 ? 's' : ''}`,
  trouble: {
    tooWarm: 'température trop élevée',
    tooCold: 'température trop basse',
    tooHigh: 'valeur trop élevée',
    tooLow: 'valeur trop basse',
    outOfRange: 'valeur hors limites',
    powerOut: 'coupure de courant',
    doorOpen: 'porte ouverte trop longtemps',
    batteryLow: 'batterie faible',
    silent: 'aucune donnée reçue',
    siteOutage: 'site coupé',
    clockWrong: 'horloge fausse',
    calibrationOverdue: 'étalonnage en retard',
    sensorUnplugged: 'capteur débranché',
    stuck: 'valeur figée',
    jumping: 'valeurs sautantes',
    changingFast: 'variation trop rapide',
  },
  kinds: {
    refrigerator: 'réfrigérateur',
    freezer: 'congélateur',
    'cold-room': 'chambre froide',
    'cold-box': 'glacière',
    vehicle: 'véhicule',
  },
  reasons: {
    'sensor-lost': 'le capteur est perdu',
    'sensor-removed': 'le capteur a été retiré',
    'sensor-moved': 'le capteur a été déplacé',
    'sensor-broken': 'le capteur est cassé',
    'false-alarm': 'c’était une fausse alarme',
    reviewed: 'elle a été revue',
    other: 'pour une autre raison',
  },
  causes: {
    power: 'coupure de courant',
    battery: 'batterie de l’appareil vide',
    gateway: 'passerelle en panne',
    'connection-lost': 'connexion de l’appareil perdue',
    disconnected: 'appareil déconnecté',
  },
  where: (thing, site) => (site === undefined ? thing : `${thing}, ${site}`),
  headline: {
    wrong: (content, trouble) =>
      `${capital(trouble)}${content.isAgain ? ' de nouveau' : ''} : ${named(content)}`,
    over: (content, trouble) => `Terminé (${trouble}) : ${named(content)}`,
    still: (content, trouble) => `Toujours ${trouble} : ${named(content)}`,
    back: (content) =>
      `${isOfValue(content.topic) ? 'Retour dans les limites' : 'Retour à la normale'} : ${place(content)}`,
    corrected: (content, trouble) => `${capital(trouble)} pendant ${content.duration} : ${place(content)}`,
    withdrawn: (content) => `Alarme retirée : ${place(content)}`,
    closed: (content, trouble) => `Alarme close (${trouble}) : ${place(content)}`,
  },
  isWrong: (content, where, trouble) =>
    `${where} : ${trouble}${content.isAgain ? ' de nouveau' : ''} depuis le ${content.startAt}.` +
    (isOfValue(content.topic)
      ? `\nCela fait ${content.duration} jusqu’à la dernière mesure hors limites, le ${content.lastAt}.`
      : ''),
  stillWrong: (content, where, trouble) =>
    `${where} : toujours ${trouble}.\nCela a commencé il y a ${content.sinceStart}, le ${content.startAt}, et personne n’en a accusé réception.`,
  wasWrong: (content, where, trouble) =>
    `${where} : ${trouble} ${content.endAt === undefined ? 'depuis le' : 'du'} ${content.startAt}${content.endAt === undefined ? '' : ` au ${content.endAt}`}, pendant ${content.duration}.`,
  isBack: (content, where) =>
    `${where} : retour ${isOfValue(content.topic) ? 'dans les limites' : 'à la normale'}${content.endAt === undefined ? '' : ` depuis le ${content.endAt}`}.`,
  corrected: 'Des mesures arrivées plus tard montrent une autre fin que celle annoncée.',
  withdrawn: (content, where) =>
    `L’alarme du ${content.startAt} (${where}) est retirée : des mesures arrivées plus tard montrent ` +
    'que la limite n’a pas été dépassée aussi longtemps que le dit la règle. Il n’y a rien à faire.',
  closed: (content, where, trouble) =>
    `L’alarme (${where} : ${trouble} depuis le ${content.startAt}) a été close : ${french.reasons[content.closeReason ?? 'other']}.` +
    (content.closeComment === undefined ? '' : `\n« ${content.closeComment} »`),
  overAlready: 'C’est déjà terminé.',
  peak: (content) => `${peakName(content.topic)} : ${content.peak}, le ${content.peakAt}.`,
  rule: (content) => `La règle est : ${content.ruleName}.`,
  cause: (cause) => `Cause probable : ${cause}.`,
  members: (content) => `Sont concernés : ${content.members.join(' ; ')}.`,
  whatToDo: 'Que faire maintenant :',
  steps,
  afterwards,
  inShort: {
    tooWarm: 'Vérifiez porte et courant.',
    tooCold: 'Vérifiez le thermostat. Test d’agitation avant tout vaccin sensible au gel.',
    tooHigh: 'Vérifiez.',
    tooLow: 'Vérifiez.',
    outOfRange: 'Vérifiez.',
    powerOut: 'Vérifiez prise et fusible, gardez la porte fermée.',
    doorOpen: 'Fermez la porte.',
    batteryLow: 'Chargez-la ou changez-la.',
    silent: 'Lisez le thermomètre ; vérifiez l’appareil.',
    siteOutage: 'Vérifiez courant et réseau.',
    clockWrong: 'Réglez l’horloge.',
    calibrationOverdue: 'Faites étalonner le capteur.',
    sensorUnplugged: 'Rebranchez le capteur.',
    stuck: 'Vérifiez le capteur.',
    jumping: 'Vérifiez le capteur.',
    changingFast: 'Vérifiez la porte.',
  },
  shortSince: (content) => `Depuis le ${content.shortStartAt}`,
  origin: { device: 'Appareil', sensor: 'capteur', breach: 'Alerte' },
  test: {
    subject: 'TEST : message d’essai de Coldstream',
    text: 'Ceci est un essai. Les alarmes vous parviendront ainsi. Il n’y a rien à faire.',
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
    case 'tooHigh':
      return 'Maximum'
    case 'tooCold':
    case 'tooLow':
    case 'batteryLow':
      return 'Minimum'
    default:
      return 'Écart le plus grand'
  }
}

function steps(content: Content, unit: string): readonly string[] {
  switch (content.topic) {
    case 'tooWarm':
      return [
        'Vérifiez que la porte est fermée et qu’il y a du courant.',
        `Si la température ne descend pas, transférez les vaccins (${unit} en état de marche).`,
        'Lisez les pastilles de contrôle (PCV) avant d’utiliser ces vaccins.',
        NO_DISCARD,
      ]
    case 'tooCold':
      return [
        ...(content.kind === 'freezer'
          ? []
          : ['N’utilisez aucun de ces vaccins s’il est sensible au gel avant un test d’agitation.']),
        `Vérifiez le thermostat et le capteur. Si la température ne remonte pas, transférez les vaccins (${unit} en état de marche).`,
        NO_DISCARD,
      ]
    default:
      return [...OTHER_STEPS[content.topic], ACKNOWLEDGE]
  }
}

const LOOK = ['Vérifiez l’équipement et son capteur.']
const SENSOR = ['Vérifiez le capteur et son câble ; en attendant, lisez un thermomètre deux fois par jour.']

const OTHER_STEPS: Readonly<Record<Exclude<Topic, 'tooWarm' | 'tooCold'>, readonly string[]>> = {
  tooHigh: LOOK,
  tooLow: LOOK,
  outOfRange: LOOK,
  powerOut: [
    'Vérifiez la prise, le fusible et s’il y a du courant dans le bâtiment. Gardez la porte fermée.',
    'Si le courant ne revient pas, démarrez le groupe électrogène ou transférez les vaccins avant qu’ils ne chauffent.',
  ],
  doorOpen: ['Fermez la porte, et vérifiez que son joint est propre.'],
  batteryLow: [
    'Chargez ou changez la batterie de l’appareil : sans elle, personne n’entendra la prochaine alarme.',
  ],
  silent: [
    'Lisez le thermomètre de l’équipement : personne ne connaît sa température.',
    'Vérifiez que l’appareil est allumé, chargé et à portée de son réseau.',
  ],
  siteOutage: [
    'Vérifiez si le site a du courant et du réseau ; lisez-y les thermomètres.',
    'Si le courant ne revient pas, gardez les portes fermées et préparez le transfert des vaccins.',
  ],
  clockWrong: ['Réglez l’horloge de l’appareil : les heures de ses mesures ne sont pas fiables.'],
  calibrationOverdue: ['Faites étalonner le capteur, ou mettez-en un qui l’est.'],
  sensorUnplugged: ['Rebranchez le capteur, et vérifiez son câble.'],
  stuck: SENSOR,
  jumping: SENSOR,
  changingFast: ['Vérifiez la porte, et si des produits chauds ont été chargés.'],
}

function afterwards(content: Content, _unit: string): string {
  switch (content.topic) {
    case 'tooWarm':
      return 'Avant d’utiliser ces vaccins, lisez leurs pastilles de contrôle (PCV). Ne jetez rien à cause de cette seule alarme.'
    case 'tooCold':
      if (content.kind === 'freezer') return 'Vérifiez le thermostat et le capteur.'
      return (
        'N’utilisez aucun de ces vaccins s’il est sensible au gel avant un test d’agitation. ' +
        'Ne jetez rien à cause de cette seule alarme.'
      )
    case 'silent':
    case 'siteOutage':
      return 'Regardez les mesures de ce temps, qui peuvent encore arriver.'
    case 'powerOut':
      return 'Vérifiez que la température est restée dans les limites.'
    default:
      return 'Vérifiez l’équipement et cherchez pourquoi.'
  }
}
