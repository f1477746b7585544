import { test } from 'tap'
import { ConfigError, readConfig, redacted } from '../../main/config.ts'
import { isDistributed, partsOf } from '../../main/deployment.ts'

const DISTRIBUTED = {
  DATABASE_URL: 'mysql://db/coldstream',
  QUEUE_URL: 'amqp://queue',
  SERIES_URL: 'http://series:8428',
  CACHE_URL: 'redis://cache',
  JWT_SECRET: 'a key of at least thirty-two characters',
}

test('there are two deployments and nothing in between', async (t) => {
  t.equal(isDistributed(readConfig({})), false)
  t.equal(isDistributed(readConfig(DISTRIBUTED)), true)
  t.throws(() => readConfig({ ...DISTRIBUTED, QUEUE_URL: '' }), /without QUEUE_URL/)
  t.throws(
    () => readConfig({ ...DISTRIBUTED, QUEUE_URL: 'mysql://db' }),
    /QUEUE_URL does not begin with amqp:/,
  )
  t.throws(() => readConfig({ ...DISTRIBUTED, JWT_SECRET: '' }), /JWT_SECRET is missing/)
  t.throws(() => readConfig({ PARTS: 'broker' }), /PARTS leaves some out/)
  t.throws(() => readConfig({ ...DISTRIBUTED, PARTS: 'brocker' }), /brocker/)
  t.throws(() => readConfig({ ...DISTRIBUTED, PARTS: 'broker' }), /INTAKE_URL and INTAKE_TOKEN are missing/)
  t.same(partsOf(readConfig({ ...DISTRIBUTED, PARTS: 'ingest, notifier' })), ['ingest', 'notifier'])
})

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
    ...DISTRIBUTED,
    ADMIN_PASSWORD: 'a-long-password',
    NOTICE_URLS: 'smtp://user:hunter2@mail',
    DATABASE_URL: 'mysql://root:hunter2@db/coldstream',
  })
  const shown = JSON.stringify(redacted(config))
  t.notMatch(shown, /a-long-password|hunter2/)
  t.match(shown, /\/\/\[redacted\]@db/)
})
