import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { test } from 'tap'
import { WebSocket } from 'ws'
import { waitFor } from '../wait-for.ts'
import { openWorld } from './world.ts'
import { skipWithout } from '../services/required.ts'

const TELEMETRY = 'v1/devices/me/telemetry'

test('MQTT over WebSocket', async (t) => {
  const world = await openWorld(t)
  const { id, token } = await world.addDevice()
  const url = `ws://127.0.0.1:${world.broker.ports.webSocket}/mqtt`
  const client = await connectAsync(url, { username: token, reconnectPeriod: 0 }, false)
  t.teardown(() => client.endAsync(true))
  await client.publishAsync(TELEMETRY, '{"temperature":4.2}', { qos: 1 })
  t.match(world.intake.packets, [{ deviceId: id }])
  await t.rejects(connectAsync(url, { username: 'wrong', reconnectPeriod: 0 }, false), { code: 4 })
})

test('the WebSocket port speaks nothing but MQTT', async (t) => {
  const world = await openWorld(t, { connectTimeoutMs: 300 })
  const { token } = await world.addDevice()
  const port = world.broker.ports.webSocket
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 426)
  const other = new WebSocket(`ws://127.0.0.1:${port}`, 'chat')
  const [error] = await once(other, 'error')
  t.match(String(error), /400/)
  const silent = connectTcp(port, '127.0.0.1')
  await once(silent, 'close')
  const mute = new WebSocket(`ws://127.0.0.1:${port}`, 'mqtt')
  await once(mute, 'close')
  const garbage = new WebSocket(`ws://127.0.0.1:${port}`, 'mqtt')
  await once(garbage, 'open')
  garbage.send('not MQTT')
  await once(garbage, 'close')
  const endless = new WebSocket(`ws://127.0.0.1:${port}`, 'mqtt')
  await once(endless, 'open')
  endless.on('error', () => {})
  endless.send(Buffer.alloc(10_000_000))
  await once(endless, 'close')
  const client = await world.connect(token)
  await client.publishAsync(TELEMETRY, '{}', { qos: 1 })
  await waitFor(async () => (await world.metric('coldstream_mqtt_connections')) === 1, 'the gauge at 1')
})

test('keep-alive 0 over WebSocket falls under the idle limit', async (t) => {
  const world = await openWorld(t, { keepaliveSecondsMax: 0.2 })
  const { token } = await world.addDevice()
  const url = `ws://127.0.0.1:${world.broker.ports.webSocket}`
  const client = await connectAsync(url, { username: token, keepalive: 0, reconnectPeriod: 0 }, false)
  await new Promise((resolve) => client.once('close', () => resolve(undefined)))
})

const hasOpenssl = ['/usr/bin/openssl', '/usr/local/bin/openssl', '/opt/homebrew/bin/openssl'].some(
  existsSync,
)

test('with a certificate also over TLS', { skip: skipWithout('openssl', hasOpenssl) }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coldstream-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  })
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certFile), mqttPort: 0, webSocketPort: 0 }
  const world = await openWorld(t, { tls, connectTimeoutMs: 500 })
  const { token } = await world.addDevice()
  const { mqttTls, webSocketTls } = world.broker.ports
  const options = { username: token, reconnectPeriod: 0, rejectUnauthorized: false }
  for (const url of [`mqtts://127.0.0.1:${mqttTls}`, `wss://127.0.0.1:${webSocketTls}`]) {
    const client = await connectAsync(url, options, false)
    await client.publishAsync(TELEMETRY, '{}', { qos: 1 })
    await client.endAsync()
    await t.rejects(connectAsync(url, { ...options, username: 'wrong' }, false), { code: 4 })
  }
  t.equal(world.intake.packets.length, 2)
  for (const port of [mqttTls, webSocketTls]) {
    const plain = connectTcp(Number(port), '127.0.0.1')
    plain.write('this is not TLS')
    plain.on('error', () => {})
    await once(plain, 'close')
    const silent = connectTcp(Number(port), '127.0.0.1')
    await once(silent, 'close')
  }
})

test('a port that is taken is an error, and leaves nothing open', async (t) => {
  const world = await openWorld(t)
  const taken = world.broker.ports.mqtt
  const other = await openWorld(t)
  await other.stop()
  await t.rejects(other.start({ mqttPort: 0, webSocketPort: taken }), { code: 'EADDRINUSE' })
})
