import { test } from 'tap'
import { checkDigit, isSscc, makeSscc } from '../../domain/sscc.ts'

test('check digits of GS1', async (t) => {
  t.equal(checkDigit('0401234567890'), '1')
  t.equal(checkDigit('401234500000'), '9')
  t.equal(checkDigit('34012345123456789'), '5')
})

test('an SSCC checks itself', async (t) => {
  t.ok(isSscc('340123451234567895'))
  for (const bad of ['340123451234567896', '34012345123456789', '34012345123456789x', ''])
    t.notOk(isSscc(bad))
  for (const serial of [1, 999_999_999, 1_000_000_000]) {
    const sscc = makeSscc('4012345', serial)
    t.ok(isSscc(sscc), sscc)
    t.equal(sscc.slice(1, 8), '4012345')
  }
  t.equal(makeSscc('4012345', 1_000_000_000).slice(0, 1), '1')
  t.throws(() => makeSscc('4012345678', 10 ** 8))
})
