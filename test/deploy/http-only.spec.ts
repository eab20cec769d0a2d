/** deploy/http-only.mjs, which decides whether two Node-REDs may run the same flows for a moment. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, temporaryFolder } from '../support/installed-package.ts';

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
    assert.equal(saysOf(code), '');
    for (const more of [
      { initialize: 'setTimeout(() => node.send({}), 1000)' },
      { func: 'setInterval(() => {}, 1000)' },
      { libs: [{ var: 'mqtt', module: 'mqtt' }] },
    ])
      assert.match(saysOf({ ...code, ...more }), /function/);
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
