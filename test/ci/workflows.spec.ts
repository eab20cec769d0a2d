/** The workflows: pinned, with few rights, and made of scripts that anybody can run (actionlint: lint-files.spec.ts). */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { root } from '../support/installed-package.ts';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  uses?: string;
  'timeout-minutes'?: number;
  permissions?: Record<string, string>;
  steps?: Step[];
  strategy?: { matrix: { 'node-red'?: string[]; include?: { 'node-red'?: string }[] } };
}

interface Workflow {
  permissions: unknown;
  concurrency?: { group: string };
  jobs: Record<string, Job>;
}

const FOLDER = join(root, '.github', 'workflows');
/** Jobs that need more than to read, and why. */
const RIGHTS: Record<string, string[]> = {
  'deploy.yml deploy': ['packages: read'], // the server pulls the images with this token
  'release.yml deploy': ['packages: read'],
  'image.yml image': ['packages: write', 'id-token: write'], // pushes the images, signs where they come from
  'release.yml image': ['packages: write', 'id-token: write'],
  'release.yml npm': ['id-token: write'], // trusted publishing
  'release.yml github': ['contents: write'], // the release
  'release.yml version': ['contents: write', 'pull-requests: write'], // the pull request with the next version
  'security.yml codeql': ['security-events: write'], // findings
  'security.yml njsscan': ['security-events: write'],
};
const scripts = new Set(Object.keys(packageJson.scripts));

/** Whether one line of a `run` is a script of ours, or the installation before it. */
function isOurs(line: string): boolean {
  if (/^npm ci( --workspaces=false)?( --ignore-scripts)?$/.test(line) || line === 'npm test') return true;
  const [, script] = /^npm run ([\w:-]+)(?: -- .*)?$/.exec(line) ?? [];
  if (script !== undefined) return scripts.has(script);
  const [, file] =
    /^(?:node |bash |sh )?(\.ci\/run|(?:\.\/)?(?:deploy|tools)\/[\w./-]+)(?: .*)?$/.exec(line) ?? [];
  return file !== undefined && existsSync(join(root, file));
}

for (const file of readdirSync(FOLDER)) {
  describe(`the workflow ${file}`, () => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const workflow = parse(text) as Workflow;
    const jobs = Object.entries(workflow.jobs);
    const steps = jobs.flatMap(([, job]) => job.steps ?? []);

    it('pins every action by its commit, and says which version that is', () => {
      const uses = [...text.matchAll(/^.*\buses: (.+)$/gm)].map((match) => match[1]!);
      assert.equal(uses.length, [...steps, ...jobs.map(([, job]) => job)].filter((one) => one.uses).length);
      for (const action of uses.filter((name) => !name.startsWith('./')))
        assert.match(action, /^[\w-]+\/[\w./-]+@[0-9a-f]{40} # \S/);
      for (const called of uses.filter((name) => name.startsWith('./')))
        assert.ok(existsSync(join(root, called)), called);
    });

    it('may read, and write only where it must', () => {
      assert.deepEqual(workflow.permissions, { contents: 'read' });
      for (const [name, { permissions = {} }] of jobs) {
        const rights = Object.entries(permissions).map(([what, right]) => `${what}: ${right}`);
        const allowed = RIGHTS[`${file} ${name}`] ?? [];
        assert.deepEqual(
          rights.filter((right) => right !== 'contents: read' && !allowed.includes(right)),
          [],
          name,
        );
      }
    });

    it('runs scripts of ours, so that what it does can be run anywhere', () => {
      const lines = steps.flatMap(({ run }) => (run ?? '').split('\n').map((line) => line.trim()));
      assert.deepEqual(
        lines.filter((line) => line !== '' && !line.startsWith('#') && !isOurs(line)),
        [],
      );
    });

    it('ends by itself, and not twice at once', () => {
      assert.ok(workflow.concurrency?.group);
      for (const [name, job] of jobs)
        assert.ok(job.uses !== undefined || job['timeout-minutes']! <= 60, name);
    });

    it('leaves no token behind for the scripts, but where one pushes', () => {
      for (const [name, job] of jobs)
        for (const step of job.steps ?? [])
          if (step.uses?.startsWith('actions/checkout@') && `${file} ${name}` !== 'release.yml version')
            assert.equal(step.with?.['persist-credentials'], false, name);
    });
  });
}

describe('the job that installs', () => {
  it('takes the Node-RED versions that the tests take', () => {
    const { jobs } = parse(readFileSync(join(FOLDER, 'ci.yml'), 'utf8')) as Workflow;
    const { 'node-red': versions = [], include = [] } = jobs['install']!.strategy!.matrix;
    const tested = [
      packageJson.devDependencies['node-red'],
      packageJson.devDependencies['node-red-4'].replace('npm:node-red@', ''),
    ];
    assert.deepEqual(versions, tested);
    for (const { 'node-red': version } of include) assert.ok(tested.includes(version!), version);
  });
});
