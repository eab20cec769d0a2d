/** deploy/http-only.mjs, which decides whether two Node-REDs may run the same flows for a moment. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, temporaryFolder } from '../../support/installed-package.ts';

const file = join(temporaryFolder('http-only'), 'flows.json');

/** What it says of a flow file: nothing where the flows only answer HTTP. */
function says(flowFile: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'deploy/http-only.mjs')], {
    env: { M2FP_FLOW_FILE: flowFile },
    encoding: 'utf8',
  });
  assert.equal(status, stderr === '' ? 0 : 1);
  assert.equal(stdout, stderr === '' ? 'These flows only answer HTTP.\n' : '');
  return stderr.trim();
}

function saysOf(...nodes: object[]): string {
  writeFileSync(file, JSON.stringify(nodes));
  return says(file);
}

describe('flows that only answer HTTP', () => {
  for (const name of ['2 HTTP API', '8 Health and metrics', 'ci/flows'])
    it(`are those of examples/${name}.json`, () => {
      assert.equal(says(join(root, 'examples', `${name}.json`)), '');
    });

  const OTHERS = {
    '5 MQTT camera': /mqtt in/,
    '6 Folder watch': /function/,
    'Dashboard 2 page (needs @flowfuse node-red-dashboard)': /ui-/,
  };
  for (const [name, type] of Object.entries(OTHERS))
    it(`are not those of examples/${name}.json`, () => {
      assert.match(says(join(root, 'examples', `${name}.json`)), type);
    });

  it('may have a button, but no timer', () => {
    const inject = { id: 'a', type: 'inject', repeat: '', crontab: '', once: false };
    assert.equal(saysOf(inject), '');
    for (const more of [{ repeat: '5' }, { crontab: '* * * * *' }, { once: true }])
      assert.match(saysOf({ ...inject, ...more }), /inject/);
  });

  it('have no function that begins something by itself', () => {
    const code = { id: 'a', type: 'function', func: 'return msg;', initialize: '', libs: [] };
    const untouched = '// Code added here will be run once\n// whenever the node is started.\n';
    for (const none of [
      {},
      { initialize: untouched },
      { initialize: '/* later:\n node.send({}) */' },
      { finalize: untouched },
      { func: "global.get('n'); for (const one of msg.all) count += one; return msg;" },
    ])
      assert.equal(saysOf({ ...code, ...none }), '');
    for (const more of [
      { initialize: 'setTimeout(() => node.send({}), 1000)' },
      { initialize: "node['send']({ payload: 'started' });" },
      { initialize: "// on air\nglobal.get('radio').begin();" },
      { func: 'setInterval(() => {}, 1000)' },
      { func: "globalThis['setTimeout'](again, 1000)" },
      { func: 'setImmediate(again)' },
      { func: "const { setInterval: every } = await import('node:timers');" },
      { func: "this['setInt' + 'erval'](again, 1000);" },
      { func: 'while (true) await node.send({});' },
      { func: 'for (;;) await step();' },
      { finalize: "await fetch('http://127.0.0.1/gone');" },
      { libs: [{ var: 'mqtt', module: 'mqtt' }] },
    ])
      assert.match(saysOf({ ...code, ...more }), /function/, JSON.stringify(more));
  });

  /** Modes of types that else wait: what waits in them, and what acts. */
  const MODES: Record<string, { waits: object[]; acts: object[] }> = {
    batch: {
      waits: [
        { mode: 'count', allowEmptySequence: true },
        { mode: 'concat' },
        { mode: 'interval', interval: '10', allowEmptySequence: false },
      ],
      acts: [{ mode: 'interval', interval: '10', allowEmptySequence: true }, { mode: '${MODE}' }],
    },
    trigger: {
      waits: [{ duration: '250', units: 'ms' }, { duration: 0 }],
      acts: [{ duration: '-5', units: 's' }, { duration: '${PAUSE}' }],
    },
    'm2fp-status': {
      waits: [
        { onChange: false, wires: [['request']] },
        { onChange: true, wires: [['debug']] },
      ],
      acts: [{ onChange: true, wires: [['request']] }],
    },
    'm2fp-load': {
      waits: [
        { onStart: false, wires: [['request'], []] },
        { onStart: true, wires: [['debug'], []] },
      ],
      acts: [{ onStart: true, wires: [['request'], []] }, { wires: [[], ['request']] }],
    },
    status: { waits: [{ wires: [] }, { wires: [['debug']] }], acts: [{ wires: [['debug', 'request']] }] },
  };
  for (const [type, { waits, acts }] of Object.entries(MODES))
    it(`have ${type} only in modes in which it waits`, () => {
      const others = [
        { id: 'debug', type: 'debug' },
        { id: 'request', type: 'http request' },
      ];
      for (const mode of waits)
        assert.equal(saysOf({ id: 'a', type, ...mode }, ...others), '', JSON.stringify(mode));
      for (const mode of acts)
        assert.match(saysOf({ id: 'a', type, ...mode }, ...others), new RegExp(type), JSON.stringify(mode));
    });

  it('have nothing of Node-RED itself that listens, watches, or runs programs', () => {
    for (const type of [
      'mqtt in',
      'mqtt-broker',
      'websocket in',
      'websocket-client',
      'tcp in',
      'udp in',
      'watch',
      'exec',
    ])
      assert.match(saysOf({ id: 'a', type }), new RegExp(type));
  });

  it('have subflows only with what is in them', () => {
    const subflow = { id: 's', type: 'subflow', disabled: true };
    const instance = { id: 'a', type: 'subflow:s' };
    assert.equal(saysOf(subflow, instance), '');
    assert.match(saysOf(instance), /subflow:s/);
    assert.match(saysOf(subflow, instance, { id: 'b', type: 'mqtt in', z: 's' }), /mqtt in/);
  });

  it('have no type that is not known', () => {
    assert.match(saysOf({ id: 'a', type: 'telegram receiver' }), /telegram receiver/);
  });

  it('are asked only for what is switched on', () => {
    const listening = { id: 'b', type: 'mqtt in', z: 'a' };
    const tab = { id: 'a', type: 'tab' };
    assert.match(saysOf(tab, listening), /mqtt in/);
    assert.equal(saysOf({ ...tab, disabled: true }, listening), '');
    assert.equal(saysOf(tab, { ...listening, d: true }), '');
  });

  it('are in doubt where there is no file, or it is none', () => {
    assert.notEqual(says('/nonexistent/flows.json'), '');
    writeFileSync(file, '{');
    assert.notEqual(says(file), '');
  });
});
