import * as fc from 'fast-check'
import { test } from 'tap'
import { isDeepStrictEqual } from 'node:util'
import { implausibility, TIME_MIN } from '../../../domain/plausibility.ts'
import type { Quantity } from '../../../domain/reading.ts'
import { DEFAULT_LIMITS, type DecodeContext } from '../../../ingest/codecs/codec.ts'
import {
  ATTRIBUTES_TOPIC,
  decode,
  GATEWAY_TOPIC,
  isGatewayBody,
  TELEMETRY_TOPIC,
} from '../../../ingest/codecs/native.ts'

const NOW = 1_732_233_600_000
const THEN = NOW - 60_000
const LIMITS = { ...DEFAULT_LIMITS, readingsPerPacketMax: 50 }

const device: DecodeContext = {
  deviceId: 'd',
  isGateway: false,
  receivedAt: NOW,
  limits: LIMITS,
  childNamed: () => undefined,
}
const gateway: DecodeContext = {
  ...device,
  isGateway: true,
  childNamed: (name) =>
    name === 'New'
      ? undefined
      : name === 'Off'
        ? { refused: 'reading.deviceDisabled' }
        : { deviceId: `id of ${name}` },
}

/** Readings as `device/sensor@time quantity=value`, attributes as `key=value@time`, refusals as `code detail`. */
function seen(topic: string, payload: string | Uint8Array, context = device) {
  const { readings, attributes, refused } = decode(topic, Buffer.from(payload), context)
  return {
    readings: readings.map(({ deviceId, sensor, time, values }) => {
      const text = Object.entries(values).map(([quantity, value]) => `${quantity}=${value}`)
      return `${deviceId}/${sensor}@${time} ${text.join(' ')}`
    }),
    attributes: attributes.map(({ key, value, time }) => `${key}=${value}@${time}`),
    refused: refused.map(({ code, detail }) => `${code} ${detail}`),
  }
}

const accepted: readonly (readonly [string, string, readonly string[]])[] = [
  ['a value without a time', '{"temperature":4.2}', [`d/main@${NOW} temperature=4.2`]],
  ['a time and values', `{"ts":${THEN},"values":{"temperature":4.2}}`, [`d/main@${THEN} temperature=4.2`]],
  ['seconds', `{"ts":${THEN / 1000},"values":{"temperature":4.2}}`, [`d/main@${THEN} temperature=4.2`]],
  ['a time beside flat values', `{"ts":${THEN},"temperature":4.2}`, [`d/main@${THEN} temperature=4.2`]],
  ['values without a time', '{"values":{"temperature":4.2}}', [`d/main@${NOW} temperature=4.2`]],
  [
    'an array of both forms',
    `[{"temperature":4},{"ts":${THEN},"values":{"temperature":5}}]`,
    [`d/main@${NOW} temperature=4`, `d/main@${THEN} temperature=5`],
  ],
  [
    'aliases',
    '{"TVC":4,"TAMB":30,"TFRZ":-18,"HAMB":60,"CMPR":41,"BEMD":100,"HOLD":3}',
    [
      `d/main@${NOW} temperature=4 ambientTemperature=30 freezerTemperature=-18 humidity=60 compressorSeconds=41 batteryDays=100 holdover=3`,
    ],
  ],
  [
    'what a SMILE logger sends',
    '{"temperature":25.0,"latitude":-6.2,"longitude":106.8,"speed":0,"battery_capacity":53.29,"battery_voltage":3.60,"ext_voltage":12.12}',
    [
      `d/speed@${NOW} value=0`,
      `d/ext_voltage@${NOW} value=12.12`,
      `d/main@${NOW} temperature=25 latitude=-6.2 longitude=106.8 battery=53.29 batteryVoltage=3.6`,
    ],
  ],
  ['two names of one quantity: the greater counts', '{"temp":5,"t":4}', [`d/main@${NOW} temperature=5`]],
  ['the last of a repeated key', '{"t":4,"t":3}', [`d/main@${NOW} temperature=3`]],
  ['booleans', '{"doorOpen":true,"powerOn":false}', [`d/main@${NOW} doorOpen=1 powerOn=0`]],
  ['0 and 1 as booleans', '{"doorOpen":1,"powerOn":0}', [`d/main@${NOW} doorOpen=1 powerOn=0`]],
  [
    'seconds for booleans',
    '{"doorOpen":30,"powerOn":900}',
    [`d/main@${NOW} doorOpenSeconds=30 powerGoodSeconds=900`],
  ],
  ['an unknown number as a sensor', '{"probe 2":-127}', [`d/probe 2@${NOW} value=-127`]],
  ['`value` as a sensor like any other', '{"value":1}', [`d/value@${NOW} value=1`]],
  [
    'keys that are names of an object in JavaScript',
    '{"__proto__":1,"constructor":2,"toString":3,"hasOwnProperty":4}',
    ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map(
      (key, i) => `d/${key}@${NOW} value=${i + 1}`,
    ),
  ],
  ['the limit of nesting', '{"temperature":4,"x":[[[[[[[]]]]]]]}', [`d/main@${NOW} temperature=4`]],
  [
    'brackets and quotes in text',
    String.raw`{"t":4,"x":"[[[[[[[[[[\"{{{{{{{{{"}`,
    [`d/main@${NOW} temperature=4`],
  ],
]
for (const [title, payload, readings] of accepted)
  test(`takes ${title}`, async (t) => {
    const result = seen(TELEMETRY_TOPIC, payload)
    t.same(result.readings, readings)
    t.same(result.refused, [])
  })

const refusals: readonly (readonly [string, string | Uint8Array, readonly string[], (readonly string[])?])[] =
  [
    ['nothing at all', '', ['packet.empty 0 bytes']],
    ['a number', '4.2', ['packet.wrongShape 4.2']],
    ['a text', '"4.2"', ['packet.wrongShape "4.2"']],
    ['null', 'null', ['packet.wrongShape null']],
    ['no entries', '[]', ['reading.noValues []']],
    ['no keys', '{}', ['reading.noValues {}']],
    ['no values', '{"values":{}}', ['reading.noValues {}']],
    ['a time alone', `{"ts":${THEN}}`, ['reading.noValues {}']],
    ['values that are none', `{"ts":${THEN},"values":[4]}`, ['packet.wrongShape values: […]']],
    [
      'an entry that is none, and takes the rest',
      '[5,{"t":4}]',
      ['packet.wrongShape [0] 5'],
      ['temperature=4'],
    ],
    [
      'what stands beside values, and takes the rest',
      `{"values":{"t":4},"id":7}`,
      ['packet.wrongShape "id" beside values'],
      ['temperature=4'],
    ],
    [
      'a text for a number, and takes the rest',
      '{"temperature":"4.2","humidity":50}',
      ['reading.notANumber temperature: "4.2"'],
      ['humidity=50'],
    ],
    ['null for a number', '{"temperature":null}', ['reading.notANumber temperature: null']],
    ['a boolean for a number', '{"temperature":true}', ['reading.notANumber temperature: true']],
    ['a list for a number', '{"temperature":[4]}', ['reading.notANumber temperature: […]']],
    ['a number too large to be one', '{"temperature":1e999}', ['reading.notANumber temperature: Infinity']],
    ['an unknown one too large', '{"x":-1e999}', ['reading.notANumber "x": -Infinity']],
    ['null under an unknown key', '{"x":null}', ['reading.noValues "x": null']],
    [
      'the power-on value of a DS18B20, and takes the rest',
      '{"temperature":85.0,"humidity":50}',
      ['reading.sensorFault temperature: 85'],
      ['humidity=50'],
    ],
    ['the unplugged value of a DS18B20', '{"temp":-127}', ['reading.sensorFault temp: -127']],
    ['the disconnected value of an LHT65', '{"TFRZ":327.67}', ['reading.sensorFault TFRZ: 327.67']],
    ['what is out of range', '{"humidity":100.1}', ['reading.implausible humidity: 100.1']],
    ['a negative state', '{"doorOpen":-1}', ['reading.implausible doorOpen: -1']],
    ['a clock never set', '{"ts":0,"values":{"t":4}}', ['reading.timeTooOld ts: 0']],
    ['a clock in 1970 with flat values', '{"ts":86400,"t":4}', ['reading.timeTooOld ts: 86400']],
    [
      'a clock ahead',
      `{"ts":${NOW + 600_001},"values":{"t":4}}`,
      [`reading.timeInFuture ts: ${NOW + 600_001}`],
    ],
    ['a time in text', `{"ts":"${THEN}","values":{"t":4}}`, [`reading.timeInvalid ts: "${THEN}"`]],
    ['a time that is null', '{"ts":null,"values":{"t":4}}', ['reading.timeInvalid ts: null']],
    ['an infinite time', '{"ts":1e999,"values":{"t":4}}', ['reading.timeInvalid ts: Infinity']],
    [
      'one bad time among good ones',
      `[{"ts":0,"values":{"t":1}},{"ts":${NOW},"values":{"t":2}}]`,
      ['reading.timeTooOld [0] ts: 0'],
      ['temperature=2'],
    ],
    ['a sensor without a name', '{"":1}', ['reading.badName ""']],
    [`a name that is too long`, `{"${'x'.repeat(65)}":1}`, [`reading.badName "${'x'.repeat(65)}"`]],
    ['a name with a control character', String.raw`{"a\u0007b":1}`, [String.raw`reading.badName "a\u0007b"`]],
    ['a name that is half a character', String.raw`{"\ud83d":1}`, [String.raw`reading.badName "\ud83d"`]],
    ['a text that is too long', `{"x":"${'y'.repeat(4097)}"}`, ['attribute.tooLong "x": 4097 characters']],
    ['64 KiB of opening brackets', '['.repeat(65_536), ['packet.tooDeep more than 8 levels']],
    ['deep JSON that is valid', '['.repeat(9) + ']'.repeat(9), ['packet.tooDeep more than 8 levels']],
    ['deep objects', '{"a":'.repeat(9) + '1' + '}'.repeat(9), ['packet.tooDeep more than 8 levels']],
    [
      'too many entries',
      JSON.stringify(Array.from({ length: 51 }, () => ({ t: 4 }))),
      ['packet.tooManyReadings more than 50'],
    ],
    [
      'too many sensors',
      JSON.stringify(Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i]))),
      ['packet.tooManyReadings more than 50'],
    ],
    ['10 MB of JSON', `[${'{"t":4},'.repeat(1_250_000)}{"t":4}]`, ['packet.tooManyReadings more than 50']],
  ]
for (const [title, payload, codes, kept = []] of refusals)
  test(`refuses ${title}`, async (t) => {
    const result = seen(TELEMETRY_TOPIC, payload)
    t.same(result.refused, codes)
    t.same(
      result.readings,
      kept.map((text) => `d/main@${NOW} ${text}`),
    )
    t.same(result.attributes, [])
  })

const notJson: readonly (readonly [string, string | Uint8Array])[] = [
  ['broken JSON', '{"temperature":4.2'],
  ['NaN, which is not JSON', '{"temperature":NaN}'],
  ['Infinity, which is not JSON', '{"temperature":-Infinity}'],
  ['two documents', '{"t":1}{"t":2}'],
  ['invalid UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ['binary', Uint8Array.of(0x01, 0x75, 0x32, 0x03, 0x67, 0xc8, 0x00, 0x04, 0x68, 0x3c)],
  ['spaces', '   '],
  ['a string without an end', '"[[[[[[[[[[[[[['],
]
for (const [title, payload] of notJson)
  test(`refuses ${title}`, async (t) => {
    const { refused } = decode(TELEMETRY_TOPIC, Buffer.from(payload), device)
    t.same(
      refused.map(({ code }) => code),
      ['packet.notJson'],
    )
  })

test('minus zero is zero', async (t) => {
  const { readings } = decode(TELEMETRY_TOPIC, Buffer.from('{"temperature":-0,"x":-0.0}'), device)
  for (const { values } of readings) for (const value of Object.values(values)) t.ok(Object.is(value, 0))
  t.equal(readings.length, 2)
})

test('text, and whatever is no number, becomes an attribute at the time of its entry', async (t) => {
  const values = '{"fw":"1.2","ok":true,"where":{"lat":1,"__proto__":2},"t":4}'
  const result = seen(TELEMETRY_TOPIC, `{"ts":${THEN},"values":${values}}`)
  t.same(result.attributes, [`fw=1.2@${THEN}`, `ok=true@${THEN}`, `where={"lat":1,"__proto__":2}@${THEN}`])
  t.same(result.refused, [])
})

test('attributes are all text, numbers too', async (t) => {
  const result = seen(ATTRIBUTES_TOPIC, '{"fw":"1.2","interval":600,"temperature":4,"gone":null}')
  t.same(result.readings, [])
  t.same(result.attributes, [`fw=1.2@${NOW}`, `interval=600@${NOW}`, `temperature=4@${NOW}`])
  t.same(result.refused, ['reading.noValues "gone": null'])
  t.same(seen(ATTRIBUTES_TOPIC, '[{"a":1}]').refused, ['packet.wrongShape […]'])
  t.same(seen(ATTRIBUTES_TOPIC, '{}').refused, ['reading.noValues {}'])
})

test('a gateway speaks for its devices, and one that errs does not hold back the others', async (t) => {
  const payload = `{"A":[{"ts":${THEN},"values":{"t":4}},{"t":85}],"B":[{"t":5}],"Off":[{"t":6}],"":[{"t":7}],"C":{"t":8}}`
  const result = seen(GATEWAY_TOPIC, payload, gateway)
  t.same(result.readings, [`id of A/main@${THEN} temperature=4`, `id of B/main@${NOW} temperature=5`])
  t.same(result.refused, [
    'reading.sensorFault "A"[1] t: 85',
    'reading.deviceDisabled "Off"',
    'reading.badName ""',
    'packet.wrongShape "C": {…}',
  ])
})

const names = (payload: string) => decode(GATEWAY_TOPIC, Buffer.from(payload), gateway).unknownChildren

test('names that are not known are listed, but only when they have something to say', async (t) => {
  t.same(names('{"New":[{"t":4}],"A":[{"t":4}]}'), ['New'])
  t.equal(names('{"New":[{"t":85}],"A":[{"t":4}]}'), undefined)
  t.equal(names('{"New":[],"A":[{"t":4}]}'), undefined)
})

test('a device that is no gateway cannot speak for others', async (t) => {
  t.same(seen(GATEWAY_TOPIC, '{"A":[{"t":4}]}').refused, [`packet.notAGateway ${GATEWAY_TOPIC}`])
})

test('other topics are not ours', async (t) => {
  t.same(seen('v1/devices/me/telemetry/x', '{"t":4}').refused, [
    'packet.unknownTopic "v1/devices/me/telemetry/x"',
  ])
  t.same(seen('__proto__', '{"t":4}').refused, ['packet.unknownTopic "__proto__"'])
})

test('the answer to a command is an attribute that names the command', async (t) => {
  const topic = 'v1/devices/me/rpc/response/7'
  const [attribute] = decode(topic, Buffer.from('{"ok":true}'), device).attributes
  t.match(attribute, { key: 'rpcResponse', value: '{"commandId":7,"response":{"ok":true}}' })
  t.same(seen('v1/devices/me/rpc/response/x', '{}').refused, [
    'packet.unknownTopic "v1/devices/me/rpc/response/x"',
  ])
})

const isForChildren = (payload: string) => isGatewayBody(Buffer.from(payload), 8)

test('the gateway form is told from the others by its shape', async (t) => {
  t.equal(isForChildren('{"A":[{"t":4}]}'), true)
  for (const other of ['{"t":4}', '{"A":[],"t":4}', '[]', '{}', '{', '', '['.repeat(100_000)])
    t.equal(isForChildren(other), false)
})

const topics = fc.constantFrom(TELEMETRY_TOPIC, ATTRIBUTES_TOPIC, GATEWAY_TOPIC, 'else')
const key = fc.oneof(
  fc.constantFrom(
    'temperature',
    't',
    'TVC',
    'ts',
    'values',
    '__proto__',
    'constructor',
    'doorOpen',
    'humidity',
  ),
  fc.string({ unit: 'binary' }),
)
const number = fc.oneof(fc.double(), fc.constantFrom(85, -127, 327.67, -0, 4.2, THEN, NOW, NOW / 1000))
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    number,
    fc.string({ unit: 'binary' }),
    fc.constantFrom(null, true, false),
    fc.array(tie('value')),
    // Entries and not fc.object: `__proto__` must arrive as a key.
    fc.array(fc.tuple(key, tie('value'))).map((entries) => Object.fromEntries(entries)),
  ),
}))
const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  json.map((value) => Buffer.from(JSON.stringify(value))),
  fc.string().map((text) => Buffer.from(text)),
)

test('whatever the bytes are, nothing is thrown and nothing implausible comes out', async (t) => {
  fc.assert(
    fc.property(topics, payloads, fc.boolean(), (topic, bytes, isGateway) => {
      const { readings, attributes, refused } = decode(topic, bytes, isGateway ? gateway : device)
      for (const { sensor, time, values } of readings) {
        if (!Number.isInteger(time) || time < TIME_MIN || time > NOW + LIMITS.futureMsMax) return false
        if (sensor.length === 0 || sensor.length > 64) return false
        const all = Object.entries(values) as [Quantity, number][]
        if (all.length === 0) return false
        if (all.some(([quantity, value]) => implausibility(quantity, value) || Object.is(value, -0)))
          return false
      }
      return readings.length + attributes.length + refused.length > 0
    }),
    { numRuns: 3000 },
  )
  t.equal(Object.getOwnPropertyNames(Object.prototype).length, 12, 'and no prototype was touched')
})

test('what is decoded is a function of the input', async () => {
  fc.assert(
    fc.property(topics, payloads, (topic, bytes) =>
      isDeepStrictEqual(decode(topic, bytes, gateway), decode(topic, Uint8Array.from(bytes), gateway)),
    ),
    { numRuns: 500 },
  )
})
