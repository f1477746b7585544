import { test } from 'tap'
import { redact } from '../../domain/redact.ts'

const SECRETS: readonly (readonly [line: string, secret: string])[] = [
  ['{"msg":"login","password":"hunter2 \\"quoted\\""}', 'hunter2'],
  ['{"body":{"newPassword":"hunter2"}}', 'hunter2'],
  ['{"accessToken":"abc.def","refreshToken":"ghi-jkl"}', 'abc.def'],
  ['{"accessToken":"abc.def","refreshToken":"ghi-jkl"}', 'ghi-jkl'],
  ['{"token":123456}', '123456'],
  ['{"headers":{"authorization":"Bearer eyJhbGciOi.eyJzdWIi.c2ln"}}', 'c2ln'],
  ['{"set-cookie":"sid=1f2e3d"}', '1f2e3d'],
  ['{"payload":"{\\"password\\":\\"hunter2\\"}"}', 'hunter2'],
  ['{"msg":"sent Authorization: Bearer abc123def456"}', 'abc123def456'],
  ['{"msg":"sent Basic dXNlcjpwYXNz to it"}', 'dXNlcjpwYXNz'],
  ['{"url":"amqp://coldstream:s3cret@queue:5672/"}', 's3cret'],
  ['{"url":"https://host/hook?secret=whsec_MfKQ9r8G&x=1"}', 'MfKQ9r8G'],
  ['{"url":"https://host/x?access_token=q1w2e3r4"}', 'q1w2e3r4'],
  ['{"msg":"the key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw is bad"}', 'MfKQ9r8G'],
  ['{"url":"telegram: 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}', 'AAHdqTcv'],
  ['{"msg":"550 no such user nurse.ani+cold@puskesmas.go.id here"}', 'nurse.ani'],
  ['{"to":"Ani <ani@example.org>"}', 'ani@example.org'],
  ['{"msg":"SMS to +62 812-3456-7890 failed"}', '3456'],
  ['{"msg":"SMS to +6281234567890 failed"}', '6281234567890'],
  ['{"msg":"SMS to 0812 3456 7890 failed"}', '3456'],
  ['{"phone":"62-21-555"}', '555'],
]

test('secrets and personal data are not in the line, which is JSON still', async (t) => {
  for (const [line, secret] of SECRETS) {
    const left = redact(line)
    t.notOk(left.includes(secret), left)
    t.doesNotThrow(() => JSON.parse(left), left)
  }
})

test('what is neither stays', async (t) => {
  const lines = [
    '{"level":30,"time":1764000000000,"pid":12,"reqId":"0199abcd-0123-7000-8000-012345678901","msg":"answered"}',
    '{"deviceId":"01234567-8901-7abc-9def-0123456789ab","temperature":-4.25e+10,"at":"2026-11-24T08:00:00.000Z"}',
    '{"settings":{"JWT_SECRET":"[set]","ACCESS_TOKEN_TTL_MS":900000,"QUEUE_BYTES_MAX":1073741824}}',
    '{"topic":"v1/devices/me/telemetry","versions":"1.0.0+20260101, 10.11","range":"+2.0 to +8.0"}',
  ]
  for (const line of lines) t.equal(redact(line), line)
  t.equal(redact(redact('{"password":"x"}')), '{"password":"[redacted]"}')
})

test('no text takes long', async (t) => {
  const started = performance.now()
  for (const unit of ['a', 'a.', '0', '0 ', '+1', '"token":"', '\\"', 'Bearer ', '://x', '@', 'eyJ.'])
    redact(unit.repeat(65_536 / unit.length))
  const tookMs = performance.now() - started
  t.ok(tookMs < 5000, `${Math.round(tookMs)} ms`)
})
