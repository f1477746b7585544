import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws'
import type { BrokerSettings } from './settings.ts'

/** A byte stream that is about to speak MQTT. */
export interface Arrival {
  readonly stream: Duplex
  readonly socket: Socket
  readonly request?: IncomingMessage
}

export interface Listeners {
  readonly ports: Ports
  /** Sockets open now, over all ports, whether or not they have said anything. */
  readonly sockets: number
  /** Stops listening. Open connections stay. */
  stop(): void
  /** Closes what is still open. */
  destroy(): void
}

/** The ports really bound; the TLS ones only when there is a certificate. */
export interface Ports {
  readonly mqtt: number
  readonly webSocket: number
  readonly mqttTls?: number
  readonly webSocketTls?: number
}

interface Handlers {
  readonly onArrival: (arrival: Arrival) => void
  /** A socket was closed because there were too many. */
  readonly onTooMany: () => void
}

/** Opens all ports. Throws when one cannot be had, with the others closed again. */
export async function listen(settings: BrokerSettings, handlers: Handlers): Promise<Listeners> {
  const sockets = new Set<Socket>()
  const servers: Server[] = []

  const admit = (socket: Socket): void => {
    if (sockets.size >= settings.connectionsMax) {
      handlers.onTooMany()
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  const open = async (server: Server, port: number): Promise<number> => {
    servers.push(server)
    server.prependListener('connection', admit)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(port, settings.host, resolve)
    await promise
    return (server.address() as AddressInfo).port
  }
  const stop = (): void => {
    for (const server of servers) server.close()
  }

  try {
    return {
      ports: await openPorts(settings, handlers.onArrival, open),
      get sockets() {
        return sockets.size
      },
      stop,
      destroy: () => {
        for (const socket of sockets) socket.destroy()
      },
    }
  } catch (error) {
    stop()
    throw error
  }
}

async function openPorts(
  settings: BrokerSettings,
  onArrival: (arrival: Arrival) => void,
  open: (server: Server, port: number) => Promise<number>,
): Promise<Ports> {
  const onSocket = (socket: Socket): void => {
    if (!socket.destroyed) onArrival({ stream: socket, socket })
  }
  const { tls, mqttPort, webSocketPort, connectTimeoutMs } = settings
  const mqtt = await open(createTcpServer({ noDelay: true }, onSocket), mqttPort)
  const http = createHttpServer({ noDelay: true })
  const webSocket = await open(speakWebSocket(http, settings, onArrival), webSocketPort)
  if (!tls) return { mqtt, webSocket }
  const { cert, key } = tls
  const secure = createTlsServer({ cert, key, noDelay: true, handshakeTimeout: connectTimeoutMs }, onSocket)
  // A handshake that fails or never comes is only reported; HTTPS closes the socket by itself.
  secure.on('tlsClientError', (_error, socket) => socket.destroy())
  const https = createHttpsServer({ cert, key, noDelay: true, handshakeTimeout: connectTimeoutMs })
  const webSocketTls = await open(speakWebSocket(https, settings, onArrival), tls.webSocketPort)
  return { mqtt, webSocket, mqttTls: await open(secure, tls.mqttPort), webSocketTls }
}

function speakWebSocket<S extends Pick<HttpServer, 'on' | 'setTimeout'> & Server>(
  server: S,
  { connectTimeoutMs, packetBytesMax }: BrokerSettings,
  onArrival: (arrival: Arrival) => void,
): S {
  const webSockets = new WebSocketServer({
    noServer: true,
    // A frame may carry several packets, or parts of some.
    maxPayload: 2 * packetBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  })
  // Covers a peer that connects and never asks for anything; `ws` lifts it at the upgrade.
  server.setTimeout(connectTimeoutMs, (socket: Socket) => socket.destroy())
  server.on('request', (_request, response) => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end('MQTT over WebSocket only\n')
  })
  server.on('upgrade', (request, duplex, head) => {
    const socket = duplex as Socket
    // [MQTT-6.0.0-3]
    if (!offersMqtt(request)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // The stream handles the first error of a socket only.
      webSocket.on('error', () => {})
      onArrival({ stream: mqttStream(webSocket), socket, request })
    })
  })
  return server
}

// A packet is written in several pieces; without this each would become a frame of its own.
function mqttStream(webSocket: WebSocket): Duplex {
  const writev = (pieces: readonly { chunk: Buffer }[], done: (error?: Error | null) => void): void =>
    webSocket.send(Buffer.concat(pieces.map(({ chunk }) => chunk)), done)
  return Object.assign(createWebSocketStream(webSocket), { _writev: writev })
}

/** The second is what clients of MQTT 3.1 offer. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1']

function offersMqtt({ headers }: IncomingMessage): boolean {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  return SUBPROTOCOLS.some((name) => offered.includes(name))
}
