import apm from 'elastic-apm-node';

apm.start({
  ...{ serviceName: 'strangers', disableSend: true, logLevel: 'off', centralConfig: false },
  ...{ metricsInterval: '0s', cloudProvider: 'none' },
});
