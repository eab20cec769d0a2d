// Runs inside a Node-RED container. It says so when the flows do nothing but answer HTTP requests, so that two Node-REDs
// may run them at the same time; else it says what they do. Whatever is not known here counts as doing something.
import { readFileSync } from 'node:fs';

const file = process.env.M2FP_FLOW_FILE || '/data/flows.json';

/** Nodes that wait until a message comes, and those that hold settings. */
const WAITING = new Set(
  `tab, group, subflow, comment, junction, global-config, tls-config, http proxy,
  http in, http response, http request, inject, debug, catch, status, complete, link in, link out, link call,
  function, switch, change, range, template, delay, trigger, filter, rbe, split, join, sort, batch,
  csv, html, json, xml, yaml, file, file in, m2fp-model, m2fp-load, m2fp-preprocess, m2fp-infer, m2fp-colorize,
  m2fp-crop, m2fp-mask, m2fp-redact, m2fp-preview, m2fp-status, m2fp-jobs, m2fp-request, m2fp-response`
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

/** Code that does nothing: Node-RED writes a comment into an empty tab of a function node. */
const isBlank = (code) => (code ?? '').replace(/\/\*[^]*?\*\/|\/\/.*/g, '').trim() === '';

/**
 * With what code may begin something that goes on by itself, or get hold of it in a roundabout way. Words in texts and
 * comments count, too: better a pause too many than everything twice.
 */
const BEGINS =
  /\b(set(Interval|Timeout|Immediate)|import|require|eval|Function|constructor|globalThis|process|fetch)\b|\bthis\s*\[|\bwhile\s*\(\s*(true|1|!0)\s*\)|\bfor\s*\([^;]*;\s*;/;

/** Whether what a node sends is only shown. */
const leadsToDebug = (wires, nodes) =>
  (wires ?? []).flat().every((id) => nodes.some((node) => node.id === id && node.type === 'debug'));

/** Of the types above, those that wait only in some of their modes: when that is. */
const WAITING_WHEN = {
  inject: ({ once, repeat, crontab }) => !once && !repeat && !crontab, // a button only
  // Every interval another empty message.
  batch: ({ mode, allowEmptySequence }) =>
    ['count', 'concat'].includes(mode) || (mode === 'interval' && !allowEmptySequence),
  // Below 0 it sends again and again, once it was triggered.
  trigger: ({ duration }) => Number.parseFloat(duration) >= 0,
  // These send by themselves: that a model is loaded, how far its download has come, that a worker is gone.
  status: ({ wires }, nodes) => leadsToDebug(wires, nodes),
  'm2fp-status': ({ onChange, wires }, nodes) => !onChange || leadsToDebug(wires, nodes),
  'm2fp-load': ({ onStart, wires }, nodes) => leadsToDebug(onStart ? wires : wires?.slice(1), nodes),
  // Jobs of workers lie in their Redis, where both Node-REDs see them; else in the folder of one.
  'm2fp-jobs': ({ model }, nodes) => nodes.some(({ id, source }) => id === model && source === 'remote'),
  // What stands in On Stop is done by the old one while the new one runs.
  function: ({ initialize, finalize, func, libs }) =>
    isBlank(initialize) &&
    isBlank(finalize) &&
    !BEGINS.test(func ?? '') &&
    (libs ?? []).every(({ module }) => QUIET_MODULES.has(module.replace(/^node:/, ''))),
};

function waits(node, nodes) {
  // What is in a subflow is in the file, too, and looked at there.
  if (node.type.startsWith('subflow:')) return nodes.some(({ id }) => `subflow:${id}` === node.type);
  return WAITING.has(node.type) && (WAITING_WHEN[node.type]?.(node, nodes) ?? true);
}

try {
  const nodes = JSON.parse(readFileSync(file, 'utf8'));
  const disabled = new Set(
    nodes.filter(({ type, disabled: off }) => type === 'tab' && off).map(({ id }) => id),
  );
  const active = nodes.filter((node) => node.d !== true && !disabled.has(node.z));
  const doing = new Set(active.filter((node) => !waits(node, nodes)).map(({ type }) => type));
  if (doing.size > 0) throw new Error(`Not only HTTP: the flows have ${[...doing].join(', ')}.`);
  console.log('These flows only answer HTTP.');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
