import type { ErrorCode } from './errors.ts'

/** The messages of `errors.ts` in French. A code without its message does not compile. */
export const TITLES_FR: Readonly<Record<ErrorCode, string>> = {
  'auth.invalidCredentials': 'Le nom d’utilisateur ou le mot de passe est incorrect.',
  'auth.required': 'La requête ne porte pas de jeton d’accès valable.',
  'auth.tokenExpired':
    'Le jeton d’accès a expiré ; utilisez le jeton de renouvellement pour en obtenir un nouveau.',
  'auth.refreshInvalid': 'Le jeton de renouvellement est inconnu, expiré, révoqué ou déjà utilisé.',
  'auth.forbidden': 'Votre rôle ne le permet pas.',
  'auth.tooManyAttempts': 'Trop de tentatives ; attendez avant de réessayer.',
  'device.unauthorized': 'Le jeton de l’appareil est inconnu ou l’appareil est désactivé.',
  'request.invalid': 'La requête ne correspond pas à son schéma.',
  'request.malformed': 'Le corps n’est pas ce qu’annonce son type de contenu.',
  'request.tooLarge': 'Le corps dépasse la limite.',
  'request.unsupportedMediaType': 'Le type de contenu n’est pas pris en charge.',
  'request.idempotencyMismatch': 'Cette Idempotency-Key a déjà servi pour une autre requête.',
  'request.idempotencyBusy':
    'La première requête portant cette Idempotency-Key est encore en cours de traitement.',
  'request.preconditionFailed':
    'Cela a changé depuis votre lecture ; vérifiez à nouveau avant de le modifier.',
  'request.tooMany': 'Trop de requêtes ; attendez avant de réessayer.',
  'resource.notFound': 'Cela n’existe pas, ou se trouve hors de votre partie de la hiérarchie.',
  'resource.conflict': 'Il existe déjà quelque chose de même identité.',
  'stock.insufficient':
    'La quantité en stock ne suffit pas, ou ce qui s’y trouve est promis à des commandes.',
  'stock.negativeInPast':
    'À ce moment-là, la quantité ne suffisait pas, ou il en serait resté trop peu pour la suite.',
  'stock.moved': 'Le stock a bougé depuis qu’il a été lu ; vérifiez à nouveau.',
  'stock.alreadyReversed': 'L’événement a déjà été annulé.',
  'stock.notReversible':
    'Cet événement ne peut être annulé seul : c’est une annulation, ou il appartient à une expédition.',
  'stock.inFuture': 'L’événement se situe dans l’avenir.',
  'stock.beforeLot': 'L’événement est antérieur à la fabrication du lot.',
  'stock.unknownLot': 'Ce lot n’existe pas.',
  'stock.unknownPoint': 'L’établissement n’a pas ce point de stockage.',
  'stock.notItsLot': 'Les lots ne vont pas ensemble.',
  'stock.lotExpired': 'Le lot est périmé.',
  'stock.lotRecalled': 'Le lot fait l’objet d’un rappel.',
  'stock.vvmStage': 'Le stade de la PCV ne le permet pas.',
  'stock.reasonRequired': 'Il faut un motif du bon type.',
  'route.notFound': 'Cette adresse n’existe pas.',
  'service.unavailable': 'Un service de stockage ne répond pas ; réessayez.',
  'internal.unexpected':
    'Une erreur est survenue de notre côté ; l’identifiant de la requête permet de la retrouver dans le journal.',
  'packet.empty': 'Le message est vide.',
  'packet.tooLarge': 'Le message dépasse la limite.',
  'packet.unknownTopic': 'Aucun décodeur ne connaît ce sujet.',
  'packet.notJson': 'Le message n’est pas du JSON en UTF-8.',
  'packet.tooDeep': 'Le JSON est imbriqué au-delà de la limite.',
  'packet.wrongShape': 'Le JSON n’est ni un message de télémesure ni un message d’attributs.',
  'packet.notAGateway': 'Un appareil qui n’est pas une passerelle a publié pour d’autres appareils.',
  'packet.tooManyReadings': 'Le message porte plus de relevés que la limite.',
  'reading.noValues': 'Le relevé ne porte aucune valeur utilisable.',
  'reading.notANumber': 'Une grandeur connue a une valeur qui n’est pas un nombre fini.',
  'reading.implausible': 'Une valeur est hors de la plage de sa grandeur.',
  'reading.sensorFault':
    'La valeur est celle d’un capteur défaillant : 85,0 à la mise sous tension, -127 débranché, 327,67 déconnecté.',
  'reading.timeInvalid': 'L’heure n’est pas un nombre fini de secondes ou de millisecondes.',
  'reading.timeTooOld': 'L’heure est antérieure à 2020 : l’horloge de l’appareil n’a jamais été réglée.',
  'reading.timeInFuture': 'L’heure est plus avancée que la limite : l’horloge de l’appareil est fausse.',
  'reading.badName':
    'Un nom de capteur ou d’appareil est vide, trop long ou contient des caractères de contrôle.',
  'reading.deviceDisabled': 'L’appareil derrière la passerelle est désactivé.',
  'packet.tooManyDevices': 'La passerelle parle pour plus d’appareils que la limite.',
  'attribute.tooLong': 'Le texte d’un attribut dépasse la limite.',
}
