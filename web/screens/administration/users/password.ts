/** Without what is mistaken for something else when it is read aloud or copied from paper. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LETTERS = 4

/** A password that a person can be told over the telephone: about 79 bits. */
export function makePassword(): string {
  return Array.from({ length: GROUPS }, () => letters(GROUP_LETTERS)).join('-')
}

function letters(count: number): string {
  let made = ''
  // Those beyond the last whole multiple are thrown away, so that each letter is as likely as any other.
  const fair = 256 - (256 % LETTERS.length)
  while (made.length < count) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
    if (byte < fair) made += LETTERS[byte % LETTERS.length]
  }
  return made
}
