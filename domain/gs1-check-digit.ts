/** Check digit of a GS1 key without it: weights 3 and 1 in turn, 3 for the rightmost digit (GS1 General Specifications 7.9). */
export function checkDigit(digits: string): number {
  let sum = 0
  for (let index = digits.length - 1, weight = 3; index >= 0; index--, weight = 4 - weight)
    sum += Number(digits[index]) * weight
  return (10 - (sum % 10)) % 10
}

/** Whether a GTIN, SSCC or GLN is digits only and ends in its check digit. */
export function hasCheckDigit(key: string): boolean {
  return /^\d{2,}$/.test(key) && checkDigit(key.slice(0, -1)) === Number(key.at(-1))
}
