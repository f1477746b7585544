import { test } from 'tap'
import { ConfigError, readConfig, redacted } from '../../main/config.ts'

test('with nothing set, everything has a default', async (t) => {
  const config = readConfig({})
  t.equal(config.HTTP_PORT, 8080)
  t.equal(config.MQTT_PORT, 1883)
  t.equal(config.NOTICE_URLS, 'console:')
})

test('an empty variable counts as unset', async (t) => {
  t.equal(readConfig({ HTTP_PORT: '' }).HTTP_PORT, 8080)
})

test('every problem is reported at once, and no secret is named', async (t) => {
  const wrong = {
    HTTP_PORT: 'x',
    MQTT_PORT: '70000',
    LOG_LEVEL: 'loud',
    INTAKE_WAIT_MS: '0',
    JWT_SECRET: 'short-secret',
  }
  const problems = t.throws(() => readConfig(wrong), ConfigError) as unknown as ConfigError
  t.equal(problems.problems.length, 5)
  t.match(problems.message, /HTTP_PORT.*"x"/)
  t.notMatch(problems.message, /short-secret/)
})

test('a certificate without its key is a problem', async (t) => {
  t.throws(() => readConfig({ TLS_CERT_FILE: 'cert.pem' }), /TLS_KEY_FILE/)
})

test('what is logged has no secret in it', async (t) => {
  const config = readConfig({
    ADMIN_PASSWORD: 'a-long-password',
    NOTICE_URLS: 'smtp://user:hunter2@mail',
    DATABASE_URL: 'mysql://root:hunter2@db/coldstream',
  })
  const shown = JSON.stringify(redacted(config))
  t.notMatch(shown, /a-long-password|hunter2/)
  t.match(shown, /\/\/\[redacted\]@db/)
})
