import * as fc from 'fast-check'
import { deepEqual } from 'node:assert/strict'
import { test } from 'tap'
import { CodedError } from '../../domain/errors.ts'
import {
  buildBracketed,
  buildElementString,
  labelOf,
  parseElementString,
  SEPARATOR as GS,
  toGtin14,
  type Element,
} from '../../domain/gs1.ts'
import { checkDigit, hasCheckDigit } from '../../domain/gs1-check-digit.ts'
import { dayOf, yearOf } from '../../domain/gs1-date.ts'
import { buildDigitalLink, parseDigitalLink, parseScan } from '../../domain/gs1-digital-link.ts'
import { IDENTIFIERS } from '../../domain/gs1-identifier.ts'

const YEAR = 2026
const GTIN = '04012345678901'
const read = (code: string) =>
  Object.fromEntries(parseScan(code, YEAR).elements.map(({ ai, value }) => [ai, value]))
const codeOf = (run: () => unknown): { code: string; detail: string } => {
  try {
    run()
  } catch (error) {
    if (error instanceof CodedError) return { code: error.code, detail: error.detail ?? '' }
    throw error
  }
  return { code: 'none', detail: '' }
}

test('check digits', async (t) => {
  t.equal(checkDigit('0401234567890'), 1)
  t.equal(checkDigit('401234500000'), 9)
  t.equal(checkDigit('34012345123456789'), 5)
  t.ok(hasCheckDigit(GTIN))
  t.notOk(hasCheckDigit('04012345678902'))
  t.notOk(hasCheckDigit('0401234567890x'))
  t.equal(toGtin14('4012345678901'), GTIN)
  t.equal(toGtin14('012345678905'), '00012345678905')
  t.equal(toGtin14('96385074'), '00000096385074')
  t.match(
    codeOf(() => toGtin14('123')),
    { code: 'scan.badLength' },
  )
  t.match(
    codeOf(() => toGtin14('4012345678902')),
    { code: 'scan.badCheckDigit' },
  )
})

test('dates', async (t) => {
  // GS1 General Specifications 7.12
  t.equal(yearOf(75, 2026), 2075)
  t.equal(yearOf(76, 2026), 2076)
  t.equal(yearOf(77, 2026), 1977)
  t.equal(yearOf(99, 2026), 1999)
  t.equal(yearOf(0, 2049), 2000)
  t.equal(yearOf(0, 2050), 2100)
  t.equal(yearOf(51, 2000), 1951)
  t.equal(yearOf(50, 2000), 2050)
  t.equal(dayOf('280200', YEAR), '2028-02-29')
  t.equal(dayOf('270200', YEAR), '2027-02-28')
  t.equal(dayOf('261231', YEAR), '2026-12-31')
  t.equal(dayOf('270229', YEAR), undefined)
  t.equal(dayOf('271300', YEAR), undefined)
  t.equal(dayOf('270431', YEAR), undefined)
})

test('a symbol as scanners send it', async (t) => {
  const elements = { '01': GTIN, '10': 'LOT-7/a', '17': '270200', '21': '000123' }
  const body = `01${GTIN}1727020010LOT-7/a${GS}21000123`
  for (const start of ['', ']d2', ']C1', ']Q3', ']e0', GS, `]d2${GS}`])
    t.same(read(`${start}${body}`), elements, JSON.stringify(start))
  t.same(read(`${body}${GS}`), elements, 'a separator at the end')
  t.same(read(body.replace(GS, '{GS}')), elements, 'a separator in writing')
  t.same(read(`(01)${GTIN}(17)270200(10)LOT-7/a(21)000123`), elements, 'with parentheses')
  t.same(read(String.raw`(01)${GTIN}(10)A\(17)`), { '01': GTIN, '10': 'A(17)' })
  t.same(read(`01${GTIN}${GS}17270200`), { '01': GTIN, '17': '270200' }, 'a separator where none is needed')
})

test('a logistic label', async (t) => {
  const { elements, companionsMissing } = parseScan(
    `]C100340123451234567895${'02'}${GTIN}37120${GS}4331000800${GS}4333000050-`,
    YEAR,
  )
  t.match(labelOf(elements, YEAR), {
    sscc: '340123451234567895',
    contentGtin: GTIN,
    count: 120,
    maxCelsius: 8,
    minCelsius: -0.5,
  })
  t.same(companionsMissing, [])
  t.match(labelOf([{ ai: '4330', value: '004640' }], YEAR), { maxCelsius: 8 })
  t.same(parseScan('37120', YEAR).companionsMissing, [
    { ai: '37', anyOf: ['02'] },
    { ai: '37', anyOf: ['00'] },
  ])
})

test('links', async (t) => {
  const elements = { '01': GTIN, '10': 'A/B 1'.replace(' ', '%'), '17': '270200' }
  t.same(read(`https://id.gs1.org/01/${GTIN}/10/A%2FB%251?17=270200`), elements)
  t.same(
    read(`]Q1HTTPS://health.example/x/y/01/4012345678901/10/A%2FB%251?linkType=all&17=270200#top`),
    elements,
  )
  t.same(read('https://id.gs1.org/00/340123451234567895'), { '00': '340123451234567895' })
  t.same(read('https://id.gs1.org/414/4012345000009/254/12'), { '254': '12', '414': '4012345000009' })
  t.same(read('https://example.org/8004/40123450012'), { '8004': '40123450012' })
  for (const link of [
    'https://id.gs1.org',
    'https://id.gs1.org/01',
    'https://id.gs1.org/10/abc',
    `https://id.gs1.org/01/${GTIN}/21/1/10/2`,
    `https://id.gs1.org/01/${GTIN}/10`,
    `https://id.gs1.org/01/${GTIN}/10/%E0%A4%A`,
    `https://id.gs1.org/01/${GTIN}/x/y`,
  ])
    t.match(
      codeOf(() => read(link)),
      { code: 'scan.badLink' },
      link,
    )
  const wrong = codeOf(() => read(`https://id.gs1.org/01/${GTIN}?17=271300`))
  t.match(wrong, { code: 'scan.badDate', detail: /^Character 41:/ })
})

test('bare digits of retail codes', async (t) => {
  t.same(read('4012345678901'), { '01': GTIN })
  t.same(read(']E04012345678901'), { '01': GTIN })
  t.same(read('96385074'), { '01': '00000096385074' })
  t.same(read('17270228'), { '17': '270228' }, 'eight digits that are an element are no GTIN')
})

test('what is wrong, and where', async (t) => {
  for (const [code, expected, at] of [
    ['', 'scan.empty', /^$/],
    [']d2', 'scan.empty', /^$/],
    [']A0123', 'scan.notGs1', /^Character 1:/],
    ['hello', 'scan.unknownAi', /^Character 1: "hell"/],
    [`01${GTIN}9A`, 'scan.unknownAi', /^Character 17:.*after the value of AI 01/],
    ['0104012345678902', 'scan.badCheckDigit', /^Character 16: AI 01 \(GTIN\)/],
    ['01040123', 'scan.badLength', /^Character 3:/],
    [`01${GTIN}17271301`, 'scan.badDate', /^Character 19: AI 17 \(USE BY\) 271301/],
    [`01${GTIN}7003270200`, 'scan.badLength', /too short/],
    [`01${GTIN}70032702001200`, 'scan.badDate', /7003/],
    [`01${GTIN}10a b`, 'scan.badCharacter', /^Character 19:/],
    [`01${GTIN}10`, 'scan.badLength', /^Character 19:/],
    [`01${GTIN}10A${GS}10B`, 'scan.contradiction', /^Character 21:/],
    [`01${GTIN}02${GTIN}`, 'scan.contradiction', /exclude/],
    ['00340123451234567895433100080043300046 40', 'scan.separatorMissing', /4331/],
    ['(01)x(', 'scan.notGs1', /^Character 6:/],
    ['(9999)1', 'scan.unknownAi', /^Character 1:/],
    ['1'.repeat(8001), 'scan.tooLong', /8000/],
  ] as const)
    t.match(
      codeOf(() => parseScan(code, YEAR)),
      { code: expected, detail: at },
      code.slice(0, 60),
    )
})

test('a scanner that drops FNC1', async (t) => {
  const long = codeOf(() => parseScan(`01${GTIN}10ABC1234567890172702002112345678`, YEAR))
  t.match(long, { code: 'scan.separatorMissing', detail: /Character 39.*AI 10 \(BATCH\/LOT\).*FNC1/ })
  const { elements, otherReading } = parseScan(`01${GTIN}10ABC17270200`, YEAR)
  t.same(elements.at(-1), { ai: '10', value: 'ABC17270200' }, 'it is read as it stands')
  t.same(otherReading, [
    { ai: '01', value: GTIN },
    { ai: '10', value: 'ABC' },
    { ai: '17', value: '270200' },
  ])
  const withSeparator = parseScan(`01${GTIN}21x${GS}10ABC17270200`, YEAR)
  t.equal(withSeparator.otherReading, undefined, 'who sends one separator sends them all')
  t.equal(parseScan(`01${GTIN}1727020010ABC17270200`, YEAR).otherReading, undefined, 'it has its date')
  t.equal(parseScan(`01${GTIN}10ABC17271399`, YEAR).otherReading, undefined, 'that is no date')
})

const CHARACTERS = [...'!"%&\'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz']
const textUpTo = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength })
const numberOf = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length })
const keyOf = (length: number) => numberOf(length - 1).map((digits) => `${digits}${checkDigit(digits)}`)
const date = fc
  .record({
    yy: fc.integer({ min: 0, max: 99 }),
    mm: fc.integer({ min: 1, max: 12 }),
    dd: fc.integer({ min: 0, max: 28 }),
  })
  .map(({ yy, mm, dd }) => [yy, mm, dd].map((part) => String(part).padStart(2, '0')).join(''))

const product = fc
  .record(
    {
      '01': keyOf(14),
      '10': textUpTo(20),
      '11': date,
      '17': date,
      '21': textUpTo(20),
      '30': fc.integer({ min: 0, max: 99_999_999 }).map(String),
      '241': textUpTo(30),
      '7003': date.filter((day) => !day.endsWith('00')).map((day) => `${day}2359`),
    },
    { requiredKeys: ['01'] },
  )
  .map((values): Element[] => Object.entries(values).map(([ai, value]) => ({ ai, value })))
const pallet = fc
  .record(
    {
      '00': keyOf(18),
      '410': keyOf(13),
      '4331': numberOf(6),
      '4333': numberOf(6).map((value) => `${value}-`),
      '8004': textUpTo(30),
    },
    { requiredKeys: ['00'] },
  )
  .map((values): Element[] => Object.entries(values).map(([ai, value]) => ({ ai, value })))

const sorted = (elements: readonly Element[]) => elements.toSorted((a, b) => (a.ai < b.ai ? -1 : 1))

test('what is built is read again', async () => {
  fc.assert(
    fc.property(fc.oneof(product, pallet), (elements) => {
      for (const [build, parse] of [
        [buildElementString, parseElementString],
        [buildBracketed, parseElementString],
        [buildDigitalLink, parseDigitalLink],
      ] as const) {
        const code = build(elements, YEAR)
        deepEqual(sorted(parse(code, YEAR).elements), sorted(elements))
        deepEqual(parseScan(code, YEAR).elements, parse(code, YEAR).elements)
      }
    }),
    { numRuns: 300 },
  )
})

test('nothing but its own errors', async (t) => {
  const pieces = fc.oneof(
    fc.constantFrom(
      ...IDENTIFIERS.keys(),
      GS,
      ']d2',
      '(',
      ')',
      '\\',
      'https://x/',
      '/',
      '?',
      '=',
      '%',
      '&',
      GTIN,
    ),
    fc.string({ maxLength: 12 }),
    numberOf(6),
  )
  const strange = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(pieces, { maxLength: 30 }).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(strange, fc.integer({ min: 1900, max: 2200 }), (code, year) => {
      const { code: error } = codeOf(() => parseScan(code, year))
      return error === 'none' || error.startsWith('scan.')
    }),
    { numRuns: 3000 },
  )
  const startedAt = performance.now()
  for (const piece of [
    '(',
    '(01)',
    '\\',
    '/',
    '01',
    '1',
    '10a',
    'https://x/01/',
    `10a${GS}`,
    '%',
    '&17=',
    '17270200',
  ])
    for (const start of ['', '(10)', 'https://x/01/', '10'])
      codeOf(() => parseScan(`${start}${piece.repeat(8000 / piece.length)}`.slice(0, 8000), YEAR))
  t.ok(performance.now() - startedAt < 1000, 'as long as may be, and soon done')
})

test('what cannot be built', async (t) => {
  const build = (...elements: [string, string][]) =>
    codeOf(() =>
      buildElementString(
        elements.map(([ai, value]) => ({ ai, value })),
        YEAR,
      ),
    ).code
  t.equal(build(), 'scan.empty')
  t.equal(build(['10', 'A']), 'scan.companionMissing')
  t.equal(build(['01', GTIN], ['37', '1']), 'scan.contradiction')
  t.equal(build(['01', GTIN], ['10', 'a b']), 'scan.badCharacter')
  t.equal(codeOf(() => buildDigitalLink([{ ai: '90', value: 'x' }], YEAR)).code, 'scan.badLink')
})
