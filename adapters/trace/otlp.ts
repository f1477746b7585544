import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span as OtelSpan,
} from '@opentelemetry/api'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Span, Tracer } from '../../ports/trace.ts'

export interface OtlpOptions {
  /** Base address of a collector, such as `http://collector:4318`. */
  readonly endpoint: string
  /** Share of the traces that are taken, 0 to 1. */
  readonly ratio: number
  readonly attributes: Readonly<Record<string, string>>
}

export interface Otlp {
  readonly tracer: Tracer
  /** Takes a line of the log, as JSON. */
  readonly tap: (line: string) => void
  /** Sends what waits, within a bounded time. */
  close(): Promise<void>
}

// What waits beyond is dropped: neither traces nor logs are readings.
const LIMITS = { maxQueueSize: 2048, scheduledDelayMillis: 1000, exportTimeoutMillis: 5000 } as const
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** Sends traces and logs to a collector, over OTLP/HTTP. */
export function openOtlp({ endpoint, ratio, attributes }: OtlpOptions): Otlp {
  const url = (path: string) => `${endpoint.replace(/\/$/, '')}/v1/${path}`
  const resource = resourceFromAttributes(attributes)
  const traces = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: url('traces') }), ...LIMITS }),
    ],
  })
  const logs = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url('logs') }), ...LIMITS }),
    ],
  })
  const logger = logs.getLogger('coldstream')
  return {
    tracer: tracerOf(traces),
    tap(line) {
      const record = recordOf(line)
      if (record) logger.emit(record)
    },
    async close() {
      await Promise.allSettled([traces.shutdown(), logs.shutdown()])
    },
  }
}

function tracerOf(provider: TracerProvider): Tracer {
  const tracer = provider.getTracer('coldstream')
  return {
    begin(name, facts) {
      const span = tracer.startSpan(name, { attributes: facts, kind: SpanKind.PRODUCER, root: true })
      return span.isRecording() ? spanOf(span) : undefined
    },
    follow(name, traceparent, facts) {
      return spanOf(tracer.startSpan(name, { attributes: facts }, contextOf(traceparent)))
    },
  }
}

function contextOf(traceparent: string): Context {
  const [, traceId, spanId, flags = '00'] = TRACEPARENT.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return trace.setSpanContext(ROOT_CONTEXT, context)
}

function spanOf(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    ids: { traceId, spanId },
    end(error) {
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
      span.end()
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** From the levels of pino to those of OpenTelemetry: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal. */
const SEVERITY_PER_LEVEL = 4 / 10

function recordOf(line: string) {
  const fields = parse(line)
  if (!fields) return undefined
  const { level, time, msg, traceId, spanId, ...rest } = fields
  const isTraced = typeof traceId === 'string' && typeof spanId === 'string'
  return {
    timestamp: Number(time),
    severityNumber: Math.min(24, Math.max(1, 1 + (Number(level) - 10) * SEVERITY_PER_LEVEL)),
    body: String(msg ?? ''),
    attributes: rest as Attributes,
    ...(isTraced && {
      context: trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
    }),
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
