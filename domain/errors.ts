/**
 * Every error that leaves the system: stable code, HTTP status, and what it means in one sentence.
 * `docs/errors.md` is generated from this table. Reasons of refusals (packets that were not accepted) are errors too.
 */
export const ERRORS = {
  'auth.invalidCredentials': [401, 'User name or password is wrong.'],
  'auth.required': [401, 'The request carries no valid access token.'],
  'auth.tokenExpired': [401, 'The access token has expired; use the refresh token to get a new one.'],
  'auth.refreshInvalid': [401, 'The refresh token is unknown, expired, revoked or was used before.'],
  'auth.forbidden': [403, 'Your role does not allow this.'],
  'auth.tooManyAttempts': [429, 'Too many attempts; wait before trying again.'],
  'device.unauthorized': [401, 'The device token is unknown or the device is disabled.'],
  'request.invalid': [400, 'The request does not match its schema.'],
  'request.malformed': [400, 'The body is not what its content type says.'],
  'request.tooLarge': [413, 'The body is larger than the limit.'],
  'request.unsupportedMediaType': [415, 'The content type is not supported.'],
  'request.idempotencyMismatch': [422, 'This Idempotency-Key was used before with a different request.'],
  'request.idempotencyBusy': [409, 'The first request with this Idempotency-Key is still being answered.'],
  'request.preconditionFailed': [412, 'It has changed since you read it; look again before changing it.'],
  'request.tooMany': [429, 'Too many requests; wait before trying again.'],
  'resource.notFound': [404, 'There is no such thing, or it is outside of your part of the hierarchy.'],
  'resource.conflict': [409, 'Something with the same identity exists already.'],
  'resource.inUse': [409, 'What was recorded rests on it: this can no longer change.'],
  'stock.insufficient': [409, 'There is not enough of it on hand, or what there is is promised to orders.'],
  'stock.negativeInPast': [
    409,
    'At that time there was not enough of it, or too little would have been left for what came after.',
  ],
  'stock.moved': [409, 'The stock has moved since it was read; look again.'],
  'stock.alreadyReversed': [409, 'The event was reversed before.'],
  'stock.notReversible': [
    409,
    'This event cannot be reversed by itself: it is a reversal, or belongs to a shipment.',
  ],
  'stock.inFuture': [422, 'The event lies in the future.'],
  'stock.beforeLot': [422, 'The event lies before the lot was made.'],
  'stock.unknownLot': [422, 'There is no such lot.'],
  'stock.unknownPoint': [422, 'The facility has no such storage point.'],
  'stock.notItsLot': [422, 'The lots do not belong to each other.'],
  'stock.lotExpired': [422, 'The lot has expired.'],
  'stock.lotRecalled': [422, 'The lot is recalled.'],
  'stock.vvmStage': [422, 'The stage of the VVM does not allow this.'],
  'stock.reasonRequired': [422, 'A reason of the right kind is needed.'],
  'scan.empty': [422, 'The code is empty.'],
  'scan.tooLong': [422, 'The code is longer than any that GS1 allows.'],
  'scan.notGs1': [422, 'The code is not one of GS1.'],
  'scan.unknownAi': [422, 'The code has an application identifier that is not known.'],
  'scan.badLength': [422, 'A value of the code is too short.'],
  'scan.badCharacter': [422, 'A value of the code has a character that it may not have.'],
  'scan.badCheckDigit': [422, 'A check digit is wrong: the code was misread.'],
  'scan.badDate': [422, 'A date of the code does not exist.'],
  'scan.separatorMissing': [
    422,
    'A value of the code is too long: the scanner may have dropped the FNC1 that ends it.',
  ],
  'scan.contradiction': [422, 'Two values of the code contradict each other.'],
  'scan.companionMissing': [422, 'A value needs another one beside it.'],
  'scan.badLink': [422, 'The address is not a GS1 Digital Link.'],
  'scan.noGtin': [422, 'The trade item of the lot has no GTIN, and without one there is no label.'],
  'epcis.invalidEvent': [422, 'The event breaks a rule of EPCIS 2.0.'],
  'epcis.eventIdTaken': [409, 'Another event has this eventID.'],
  'epcis.notForLedger': [422, 'The event is kept, but the ledger has nothing to record of it.'],
  'epcis.unknownPlace': [422, 'Neither bizLocation nor readPoint is a facility of yours.'],
  'epcis.whichPoint': [
    422,
    'The facility has not just one storage point: name one as readPoint, source or destination.',
  ],
  'epcis.badQuantity': [422, 'The quantity is not a whole number of doses, pieces or packs.'],
  'epcis.unknownEvent': [422, 'The event that is declared an error is not known.'],
  'epcis.rollbackUnsupported': [
    501,
    'Events are captured one by one: GS1-Capture-Error-Behaviour can only be proceed.',
  ],
  'order.wrongState': [409, 'The order, shipment or disposal is in a state that does not allow this.'],
  'order.wrongSide': [403, 'This step is for the other side of the order to take.'],
  'order.unknownLine': [422, 'The order or shipment has no such line.'],
  'order.unknownItem': [422, 'There is no such item.'],
  'order.quantity': [422, 'It is more than was asked, approved, allocated or sent, or nothing at all.'],
  'order.held': [422, 'The stock is on hold.'],
  'order.received': [409, 'The shipment was received before.'],
  'order.badSscc': [422, 'The SSCC is not 18 digits with a right check digit.'],
  'order.sameFacility': [422, 'Both sides of the order are the same facility.'],
  'disposal.samePerson': [403, 'Whoever made a disposal cannot approve it.'],
  'lot.recalled': [409, 'The lot is recalled already.'],
  'profile.shipped': [
    409,
    'The profile comes with the program: override it at a facility, or make one of your own.',
  ],
  'profile.tooManyVersions': [409, 'The profile has as many versions as there can be: make a new one.'],
  'profile.validityEmpty': [422, 'The version would end before it begins.'],
  'rule.neverViolated': [422, 'No plausible value violates the rule: it can never fire.'],
  'rule.alwaysViolated': [
    422,
    'Every value violates the rule, or one that does not move: it would never end.',
  ],
  'rule.measureUnsuitable': [422, 'This quantity is yes or no: only its value can be judged.'],
  'rule.durationMissing': [422, 'A rule that is not instant needs a duration.'],
  'rule.durationUnused': [422, 'An instant rule has no duration.'],
  'rule.windowMissing': [422, 'A cumulative rule needs a window.'],
  'rule.windowUnused': [422, 'Only a cumulative rule has a window.'],
  'rule.durationExceedsWindow': [422, 'The duration is longer than the window: it can never fire.'],
  'rule.hysteresisUnused': [422, 'A hysteresis means nothing for this rule.'],
  'rule.hysteresisTooLarge': [
    422,
    'No plausible value is back in range by the hysteresis: it would never end.',
  ],
  'rule.activeHoursEmpty': [422, 'The active hours begin when they end.'],
  'rule.activeHoursTooShort': [422, 'The active hours are too short for the duration: it can never fire.'],
  'rule.validityEmpty': [422, 'The rule would end before it begins.'],
  'rule.validityTooShort': [422, 'The rule does not hold for as long as its duration: it can never fire.'],
  'rule.duplicate': [422, 'Two rules say the same.'],
  'rule.contradictory': [422, 'Two rules leave no value in range.'],
  'preview.tooManySensors': [422, 'There are more sensors than a preview looks at: choose a smaller part.'],
  'preview.tooManyReadings': [
    422,
    'A sensor has more readings than a preview looks at: choose a shorter time.',
  ],
  'route.notFound': [404, 'There is no such address.'],
  'service.unavailable': [503, 'A store behind this service does not answer; try again.'],
  'internal.unexpected': [500, 'Something went wrong on our side; the request id finds it in the log.'],

  'packet.empty': [422, 'The payload is empty.'],
  'packet.tooLarge': [413, 'The payload is larger than the limit.'],
  'packet.unknownTopic': [422, 'No codec knows this topic.'],
  'packet.notJson': [422, 'The payload is not JSON in UTF-8.'],
  'packet.tooDeep': [422, 'The JSON is nested deeper than the limit.'],
  'packet.wrongShape': [422, 'The JSON is not a telemetry or attributes message.'],
  'packet.notAGateway': [422, 'A device that is not a gateway published for other devices.'],
  'packet.tooManyReadings': [422, 'The payload carries more readings than the limit.'],
  'reading.noValues': [422, 'The reading carries no usable value.'],
  'reading.notANumber': [422, 'A known quantity has a value that is not a finite number.'],
  'reading.implausible': [422, 'A value lies outside of the range of its quantity.'],
  'reading.sensorFault': [
    422,
    'The value is one that a faulty sensor gives: 85.0 at power-on, -127 unplugged, 327.67 disconnected.',
  ],
  'reading.timeInvalid': [422, 'The time is not a finite number of seconds or milliseconds.'],
  'reading.timeTooOld': [422, 'The time is before 2020: the clock of the device was never set.'],
  'reading.timeInFuture': [
    422,
    'The time is further in the future than the limit: the clock of the device is wrong.',
  ],
  'reading.badName': [422, 'A sensor or device name is empty, too long or has control characters.'],
  'reading.deviceDisabled': [422, 'The device behind the gateway is disabled.'],
  'packet.tooManyDevices': [422, 'The gateway speaks for more devices than the limit.'],
  'attribute.tooLong': [422, 'The text of an attribute is longer than the limit.'],
} as const satisfies Record<string, readonly [number, string]>

export type ErrorCode = keyof typeof ERRORS

/** An operational failure or refusal with a code from the table. `detail` says what this one was about; it may reach the caller. */
export class CodedError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ? `${code}: ${detail}` : code, options)
    this.name = 'CodedError'
    this.code = code
    this.detail = detail
  }
}
