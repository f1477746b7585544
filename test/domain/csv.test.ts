import { test } from 'tap'
import { parse } from 'csv-parse/sync'
import { csvLine, guardCell, unguardCell } from '../../domain/csv.ts'
import { errorsFile } from '../../web/screens/administration/import/errors-file.ts'

const TEXTS = [
  'plain',
  '',
  'a,b',
  'two\nlines',
  '"quoted"',
  '=1+1',
  '+62',
  '-0.5',
  '@SUM',
  '\t=1',
  "'=1",
  "''-x",
  '＝1',
  "it's",
]

test('what a spreadsheet would run it does not get, and it comes back as it was', async (t) => {
  for (const text of TEXTS) {
    const cell = guardCell(text)
    t.notMatch(cell, /^[=+\-@\t\r\n＝＋－＠]/, text)
    t.equal(unguardCell(cell), text)
  }
})

test('lines of CSV are read back, numbers as numbers', async (t) => {
  t.equal(csvLine([-0.5, true, null, '-0.5']), "-0.5,true,,'-0.5\r\n")
  const [cells = []] = parse(csvLine(TEXTS)) as string[][]
  t.same(cells.map(unguardCell), TEXTS)
})

test('the wrong rows of an import can be imported again', async (t) => {
  const cells = Object.fromEntries(TEXTS.map((text, index) => [`c${index}`, text]))
  const file = errorsFile([{ row: 7, column: null, code: 'request.invalid', detail: '=wrong', cells }])
  const [, row = []] = parse(file, { bom: true }) as string[][]
  t.same(row.slice(0, 3), ['7', '', "'=wrong"])
  t.same(row.slice(3).map(unguardCell), TEXTS)
})
