// Runs inside a Node-RED container. It says so when the flows do nothing but answer HTTP requests, so that two Node-REDs
// may run them at the same time; else it says what they do. Whatever is not known here counts as doing something.
import { readFileSync } from 'node:fs';

const file = process.env.M2FP_FLOW_FILE || '/data/flows.json';

/** Nodes that wait until a message comes, and those that hold settings. */
const WAITING = new Set(
  `tab, group, subflow, comment, junction, global-config, tls-config, http proxy,
  http in, http response, http request, debug, catch, status, complete, link in, link out, link call,
  function, switch, change, range, template, delay, trigger, filter, rbe, split, join, sort, batch,
  csv, html, json, xml, yaml, file, file in, m2fp-model, m2fp-load, m2fp-preprocess, m2fp-infer, m2fp-colorize,
  m2fp-crop, m2fp-redact, m2fp-preview, m2fp-status, m2fp-describe, m2fp-mask, m2fp-export, m2fp-request, m2fp-response`
    .split(',')
    .map((type) => type.trim()),
);
/** Modules of Node.js with which a function node can do nothing by itself. */
const QUIET_MODULES = new Set([
  'buffer',
  'crypto',
  'diagnostics_channel',
  'path',
  'querystring',
  'url',
  'util',
  'zlib',
]);

function waits(node, nodes) {
  // Jobs of workers lie in their Redis, where both Node-REDs see them; else in the folder of one.
  if (node.type === 'm2fp-jobs')
    return nodes.some(({ id, source }) => id === node.model && source === 'remote');
  if (node.type.startsWith('subflow:')) return true; // its nodes are in the file, too
  if (node.type === 'inject') return !node.once && !node.repeat && !node.crontab; // a button only
  if (!WAITING.has(node.type)) return false;
  if (node.type !== 'function') return true;
  return (
    !/\bset(Interval|Timeout|Immediate)\b|\bnode\.send\b/.test(node.initialize ?? '') &&
    !/\bsetInterval\b/.test(node.func ?? '') &&
    (node.libs ?? []).every(({ module }) => QUIET_MODULES.has(module.replace(/^node:/, '')))
  );
}

try {
  const nodes = JSON.parse(readFileSync(file, 'utf8'));
  const disabled = new Set(nodes.filter((node) => node.disabled).map(({ id }) => id));
  const active = nodes.filter((node) => !node.d && !disabled.has(node.z) && !disabled.has(node.id));
  const doing = new Set(active.filter((node) => !waits(node, nodes)).map(({ type }) => type));
  if (doing.size > 0) throw new Error(`Not only HTTP: the flows have ${[...doing].join(', ')}.`);
  console.log('These flows only answer HTTP.');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
