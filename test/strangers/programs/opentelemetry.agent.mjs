import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NetInstrumentation } from '@opentelemetry/instrumentation-net';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeSDK } from '@opentelemetry/sdk-node';

globalThis.spans = new InMemorySpanExporter();
new NodeSDK({
  autoDetectResources: false,
  spanProcessors: [new SimpleSpanProcessor(globalThis.spans)],
  instrumentations: [new HttpInstrumentation(), new NetInstrumentation()],
}).start();
