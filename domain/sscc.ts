/** The check digit that makes a GS1 number whole: weights 3, 1, 3, ... from the right. */
export function checkDigit(digits: string): string {
  const sum = [...digits]
    .toReversed()
    .reduce((all, digit, at) => all + Number(digit) * (at % 2 === 0 ? 3 : 1), 0)
  return String((10 - (sum % 10)) % 10)
}

/** Whether it is a serial shipping container code: 18 digits, the last of which checks the others. */
export function isSscc(text: string): boolean {
  return /^\d{18}$/.test(text) && checkDigit(text.slice(0, 17)) === text.at(-1)
}

/**
 * The SSCC of a serial number: extension digit, company prefix, serial, check digit. The extension digit counts on when the serials are used up.
 * @param companyPrefix 7 to 10 digits, as GS1 gave it
 */
export function makeSscc(companyPrefix: string, serial: number): string {
  const digits = 17 - companyPrefix.length
  const all = String(serial).padStart(digits, '0')
  if (all.length > digits) throw new Error(`serial ${serial} does not fit behind ${companyPrefix}`)
  const body = `${all[0]}${companyPrefix}${all.slice(1)}`
  return body + checkDigit(body)
}
