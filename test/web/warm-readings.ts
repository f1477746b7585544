import mqtt from 'mqtt'

const HOUR_MS = 3_600_000
const CADENCE_MS = 600_000

/** Twelve hours of a refrigerator that has no power, as its logger tells them when it is switched on. */
export async function sendWarmReadings(mqttPort: number, token: string): Promise<void> {
  const client = await mqtt.connectAsync({ host: '127.0.0.1', port: mqttPort, username: token })
  const now = Date.now()
  for (let ts = now - 12 * HOUR_MS; ts <= now; ts += CADENCE_MS) {
    const reading = JSON.stringify({ ts, values: { temperature: 11.5 } })
    await client.publishAsync('v1/devices/me/telemetry', reading, { qos: 1 })
  }
  await client.endAsync()
}
