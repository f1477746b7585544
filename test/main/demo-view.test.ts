import { test } from 'tap'
import { PassThrough } from 'node:stream'
import { liveTable, openDemoScreen, plainState, welcome, type Row } from '../../main/demo-view.ts'

const device = {
  id: 'd',
  token: 't',
  name: 'Refrigerator K1',
  equipment: 'Refrigerator K1',
  equipmentId: 'e',
  facility: 'Puskesmas Kenanga',
  facilityId: 'f',
}
const progress = {
  simulatedTime: Date.parse('2026-01-02T03:04:05Z'),
  live: false,
  connected: 1,
  refused: 0,
  sent: 7,
  acknowledged: 7,
  pending: 0,
}
const warm: Row = { device, values: { temperature: 9.5, powerGoodSeconds: 0 }, breach: 'Above, since 01:00Z' }

test('the welcome says where to go, and its commands carry the real port, password and token', async (t) => {
  const text = welcome({ httpPort: 81, mqttPort: 82, password: 'secret', token: 'token', catchUpMs: 40_000 })
  for (const part of [
    'http://localhost:81/docs',
    'mqtt://localhost:82',
    '"password":"secret"',
    "'http://localhost:81/v1/breaches?state=open'",
    'mosquitto_pub -h localhost -p 82 -q 1 -u token -t v1/devices/me/telemetry -m \'{"temperature":4.2}\'',
    'about 40 seconds',
  ])
    t.ok(text.includes(part), part)
})

test('the table shows each refrigerator with its state and its open breach', async (t) => {
  const table = liveTable([warm, { device, values: { temperature: 4 }, breach: undefined }], progress)
  t.match(table, /Refrigerator K1 .*Puskesmas Kenanga .*9\.5 °C .*too warm, no power .*Above, since 01:00Z/)
  t.match(table, /4\.0 °C .*in range/)
  t.match(table, /2026-01-02T03:04:05Z catching up, 7 readings acknowledged/)
  t.match(liveTable([{ device, values: undefined, breach: undefined }], undefined), /no reading yet/)
  t.match(
    plainState([warm], { ...progress, live: true }),
    'now, in real time, 7 readings acknowledged: K1 9.5 °C',
  )
})

test('on a terminal, what others write stands above the table, and the stream is given back', async (t) => {
  const written: string[] = []
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
  stream.on('data', (chunk) => written.push(String(chunk)))
  const stdout = stream as unknown as NodeJS.WriteStream
  const { write } = stdout
  const screen = openDemoScreen(stdout)
  screen.state('alpha')
  stdout.write('a notification\n')
  screen.state('omega')
  screen.done()
  t.equal(stdout.write, write)
  const text = written.join('')
  const order = ['alpha', 'a notification', 'omega'].map((part) => text.lastIndexOf(part))
  t.same(
    order,
    order.toSorted((a, b) => a - b),
  )
  t.ok(order.every((at) => at >= 0))
})
