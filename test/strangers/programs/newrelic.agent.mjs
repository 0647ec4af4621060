process.env.NEW_RELIC_NO_CONFIG_FILE = 'true';
process.env.NEW_RELIC_ENABLED = 'true';
process.env.NEW_RELIC_APP_NAME = 'strangers';
process.env.NEW_RELIC_LICENSE_KEY = 'a'.repeat(40);
process.env.NEW_RELIC_LOG_ENABLED = 'false';
process.env.NEW_RELIC_SERVERLESS_MODE_ENABLED = 'true';
await import('newrelic');
