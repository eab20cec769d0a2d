/** examples/ci, the repository of flows for users to copy: its own tests, with this package as users install it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { installedPackage, root, temporaryFolder } from '../support/installed-package.ts';

const template = join(root, 'examples/ci');
const read = (path: string): string => readFileSync(join(template, path), 'utf8');

describe('the template for users', () => {
  it('passes its tests with the packed package', function () {
    this.timeout(300_000);
    const folder = join(temporaryFolder('template'), 'people-counter');
    cpSync(template, folder, { recursive: true });
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
    const npm = (...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, env, encoding: 'utf8' });
      assert.equal(status, 0, `npm ${args.join(' ')}:\n${stdout}${stderr}`);
      return stdout;
    };
    const { file } = installedPackage().tarball;
    npm('install', '--no-audit', '--no-fund', '--prefer-offline', '--save-dev', file);
    assert.match(npm('test'), /4 passing/);
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
