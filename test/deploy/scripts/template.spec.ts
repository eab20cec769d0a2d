/** examples/ci, the repository of flows for users to copy: its own tests, with this package as users install it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import packageJson from '../../../package.json' with { type: 'json' };
import { installedPackage, root, temporaryFolder } from '../../support/installed-package.ts';

const template = join(root, 'examples/ci');
const read = (path: string): string => readFileSync(join(template, path), 'utf8');

type Flow = { id: string; [property: string]: unknown }[];

/** Faults that somebody may bring into the flows, and the test that has to see them. */
const FAULTS: Record<string, { node: string; change: object; seenBy: RegExp }> = {
  'another address': { node: 'parse-in', change: { url: '/parsed' }, seenBy: /parses a picture/ },
  'another method': { node: 'parse-in', change: { method: 'get' }, seenBy: /parses a picture/ },
  'errors that are answered with 200': {
    node: 'error-out',
    change: { statusCode: '200' },
    seenBy: /answers what is no picture with an error at \/parse/,
  },
};

describe('the template for users', () => {
  const folder = join(temporaryFolder('template'), 'people-counter');

  function npm(...args: string[]): { status: number | null; output: string } {
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, env, encoding: 'utf8' });
    return { status, output: `npm ${args.join(' ')}:\n${stdout}${stderr}` };
  }

  before(function () {
    this.timeout(300_000);
    cpSync(template, folder, { recursive: true });
    const { file } = installedPackage().tarball;
    const { status, output } = npm(
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--save-dev',
      file,
    );
    assert.equal(status, 0, output);
  });

  it('passes its tests with the packed package', function () {
    this.timeout(120_000);
    const { status, output } = npm('test');
    assert.equal(status, 0, output);
    assert.match(output, /5 passing/);
  });

  for (const [fault, { node, change, seenBy }] of Object.entries(FAULTS))
    it(`does not pass them with ${fault} in its flows`, function () {
      this.timeout(180_000);
      const flows = JSON.parse(read('flows.json')) as Flow;
      assert.ok(flows.some(({ id }) => id === node));
      const broken = flows.map((one) => (one.id === node ? { ...one, ...change } : one));
      writeFileSync(join(folder, 'flows.json'), JSON.stringify(broken));
      const { status, output } = npm('test');
      assert.notEqual(status, 0, output);
      assert.match(output, /[1-9] passing/);
      assert.match(output.slice(output.indexOf(' failing')), seenBy);
    });

  it('names a type that its test does not load', function () {
    this.timeout(120_000);
    const flows = JSON.parse(read('flows.json')) as Flow;
    writeFileSync(
      join(folder, 'flows.json'),
      JSON.stringify([...flows, { id: 'f', type: 'function', z: flows[0]!.id, wires: [[]] }]),
    );
    const { status, output } = npm('test');
    assert.notEqual(status, 0, output);
    assert.match(output, /types in flows\.json without a file[^]*'function'/);
  });

  it('asks for the package, Node-RED and the helper that we test with', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    assert.deepEqual(devDependencies, {
      [packageJson.name]: `^${packageJson.version}`,
      mocha: `^${packageJson.devDependencies.mocha}`,
      'node-red': `^${packageJson.devDependencies['node-red']}`,
      'node-red-node-test-helper': `^${packageJson.devDependencies['node-red-node-test-helper']}`,
    });
  });

  it('deploys with our scripts, with actions in the versions of ours', () => {
    const text = read('.github/workflows/deploy.yml');
    const { jobs } = parse(text) as { jobs: Record<string, { steps: { run?: string; uses?: string }[] }> };
    const runs = jobs['deploy']!.steps.flatMap(({ run }) => run ?? []);
    assert.deepEqual(runs, [
      'bash deploy/deploy.sh',
      'bash deploy/rollback.sh',
      'bash deploy/deploy.sh --finish',
    ]);
    for (const run of runs) assert.ok(existsSync(join(root, run.split(' ', 2)[1]!)), run);
    assert.match(text, new RegExp(`^ +ref: v${packageJson.version.replaceAll('.', '\\.')}$`, 'm'));
    const ours = ['ci', 'image']
      .map((name) => readFileSync(join(root, `.github/workflows/${name}.yml`), 'utf8'))
      .join('');
    for (const [, action] of text.matchAll(/uses: (.+)$/gm)) assert.ok(ours.includes(action!), action);
  });
});
