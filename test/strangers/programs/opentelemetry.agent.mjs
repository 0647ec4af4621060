import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NetInstrumentation } from '@opentelemetry/instrumentation-net';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

globalThis.spans = new InMemorySpanExporter();
new NodeSDK({
  autoDetectResources: false,
  spanProcessors: [new SimpleSpanProcessor(globalThis.spans)],
  instrumentations: [new HttpInstrumentation(), new NetInstrumentation()],
}).start();
