import * as Sentry from '@sentry/node';

globalThis.events = [];
Sentry.init({
  dsn: 'http://key@127.0.0.1:1/1',
  tracesSampleRate: 1,
  traceLifecycle: 'static',
  transport: () => ({ send: async () => ({}), flush: async () => true }),
  beforeSendTransaction: (event) => void globalThis.events.push(event.transaction),
});
