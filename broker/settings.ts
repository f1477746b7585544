/** Every limit of the broker, with its default. Times in milliseconds. */
export interface BrokerSettings {
  readonly host: string
  /** 0: any free port. */
  readonly mqttPort: number
  readonly webSocketPort: number
  /** The TLS ports open only when this is given. */
  readonly tls: TlsSettings | undefined
  /** Sockets at once over all ports; one more is closed as it is accepted. */
  readonly connectionsMax: number
  /** Remaining length of an MQTT packet [MQTT 2.2.3]; refused after its fixed header, before it is buffered. */
  readonly packetBytesMax: number
  /** A connection that has not sent a whole CONNECT by then is closed. */
  readonly connectTimeoutMs: number
  /** How long the database may take to look a token up before the device is told to come back. */
  readonly authenticateTimeoutMs: number
  /** Keep-alive asked for by a device is enforced at 1.5 times; one of 0, or longer than this, falls under an idle limit of 1.5 times this. */
  readonly keepaliveSecondsMax: number
  /** A client that lets its receive buffer stay full for this long is closed. */
  readonly drainTimeoutMs: number
  readonly topicLevelsMax: number
  readonly clientIdCharsMax: number
  readonly tokenCharsMax: number
  /** Topic filters of one connection. */
  readonly subscriptionsMax: number
  /** QoS 2 publishes of one connection between PUBLISH and PUBREL. */
  readonly inflightMax: number
  /** Packets that a client may send before it has its CONNACK. */
  readonly earlyPacketsMax: number
  /** Messages kept for one persistent session, whether its device is away or does not acknowledge. */
  readonly sessionMessagesMax: number
  /** Persistent sessions of one device; the next one ends one whose client is not connected. */
  readonly sessionsPerDeviceMax: number
  /** How long a packet waits for an intake that rejects it, before its connection is closed without an acknowledgement. */
  readonly intakeWaitMs: number
  readonly retryDelayMs: number
  readonly retryDelayMsMax: number
  /** Packets of one connection handed over and not yet durable; above it no more is read from the connection. */
  readonly handOversPerConnectionMax: number
  /** Payload bytes handed over and not yet durable; above it no further device is let in. */
  readonly handOverBytesMax: number
  /** Failed authentications of one address in a window, after which further failures are answered late. */
  readonly authFailuresMax: number
  readonly authFailuresWindowMs: number
  readonly authFailureDelayMs: number
  /** How often this broker says that it lives. Wills of one that died are published after 4 of these. */
  readonly heartbeatMs: number
  /** How long a stop waits for hand-overs in flight. */
  readonly stopTimeoutMs: number
}

export interface TlsSettings {
  /** PEM. */
  readonly cert: string | Buffer
  readonly key: string | Buffer
  readonly mqttPort: number
  readonly webSocketPort: number
}

export const BROKER_DEFAULTS: BrokerSettings = {
  host: '0.0.0.0',
  mqttPort: 1883,
  webSocketPort: 8083,
  tls: undefined,
  connectionsMax: 20_000,
  packetBytesMax: 65_536,
  connectTimeoutMs: 10_000,
  authenticateTimeoutMs: 10_000,
  keepaliveSecondsMax: 3600,
  drainTimeoutMs: 30_000,
  topicLevelsMax: 16,
  clientIdCharsMax: 128,
  tokenCharsMax: 256,
  subscriptionsMax: 20,
  inflightMax: 100,
  earlyPacketsMax: 42,
  sessionMessagesMax: 100,
  sessionsPerDeviceMax: 10,
  intakeWaitMs: 30_000,
  retryDelayMs: 50,
  retryDelayMsMax: 2000,
  handOversPerConnectionMax: 1000,
  handOverBytesMax: 67_108_864,
  authFailuresMax: 20,
  authFailuresWindowMs: 60_000,
  authFailureDelayMs: 5000,
  heartbeatMs: 60_000,
  stopTimeoutMs: 10_000,
}
