// Settings of the Node-RED in the image (https://nodered.org/docs/user-guide/runtime/configuration).
const { createHash, timingSafeEqual } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { writeFirstFlows } = require('./first-flows.cjs');

/** From the environment, or from the file that NAME_FILE names, as secrets come. */
function secret(name) {
  const file = process.env[`${name}_FILE`];
  return file ? readFileSync(file, 'utf8').replace(/\r?\n$/, '') : (process.env[name] ?? '');
}

const digest = (text) => createHash('sha256').update(text).digest();

// Flows name them as ${M2FP_REDIS_PASSWORD}.
for (const name of ['M2FP_REDIS_PASSWORD', 'M2FP_MQTT_PASSWORD']) process.env[name] = secret(name);

const user = process.env.M2FP_EDITOR_USER || 'admin';
const password = secret('M2FP_EDITOR_PASSWORD');
const permitted = (name) => ({ username: name, permissions: '*' });

// Where an image brings flows of its own: examples/ci.
const flowFile = process.env.M2FP_FLOW_FILE;
if (!flowFile) writeFirstFlows('/data');

module.exports = {
  uiPort: 1880,
  flowFile: flowFile || 'flows.json',
  flowFilePretty: true,
  // Blank: Node-RED makes one of its own, and keeps it in /data.
  credentialSecret: secret('M2FP_CREDENTIAL_SECRET') || undefined,
  // Without a password nobody gets in: there is no editor.
  httpAdminRoot: password === '' ? false : '/editor',
  adminAuth: {
    type: 'credentials',
    users: async (name) => (name === user ? permitted(name) : null),
    authenticate: async (name, given) =>
      name === user && timingSafeEqual(digest(given), digest(password)) ? permitted(name) : null,
  },
  // Of JSON with a picture in it, which has a third more bytes than the picture.
  apiMaxLength: process.env.M2FP_MAX_BODY || '32mb',
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
  logging: { console: { level: process.env.M2FP_LOG_LEVEL || 'info', metrics: false, audit: false } },
};
