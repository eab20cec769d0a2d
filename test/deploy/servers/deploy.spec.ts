/**
 * deploy.sh and rollback.sh, against a real sshd, a real registry and real containers. However a deploy ends, it leaves the
 * service up on exactly one version, tells once, and tells the truth.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { containers } from '../support/containers.ts';
import { Load } from '../support/load.ts';
import { type DeployServer, startDeployServer } from '../support/server.ts';

interface Told {
  type: string;
  title: string;
  message: string;
}

interface Ended {
  code: number | null;
  output: string;
  told: Told[];
}

/** Called with what a script has printed so far, whenever that grows. */
type During = (output: string, child: { pid?: number }) => void;

/** What must never be printed. */
const SECRETS = { notify: 'n0tify-t0ken', registry: 'reg1stry-passw0rd', stack: 'st4ck-secret' };

describe('a deploy', function () {
  this.timeout(180_000);
  let server: DeployServer;
  const told: Told[] = [];
  const hook = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      assert.equal(request.headers.authorization, SECRETS.notify);
      told.push(JSON.parse(text) as Told);
      response.end();
    });
  });
  let everything = '';

  /** Runs a script of deploy/ with arguments. */
  async function script(
    [name, ...args]: string[],
    environment: NodeJS.ProcessEnv = {},
    during?: During,
  ): Promise<Ended> {
    const before = told.length;
    const child = spawn('bash', [join(root, 'deploy', name!), ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: server.folder,
        ...server.ssh.environment,
        DEPLOY_DIR: server.stack,
        NOTIFY_URLS: `json://127.0.0.1:${(hook.address() as AddressInfo).port}/?+Authorization=${SECRETS.notify}`,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        during?.(output, child);
      });
    const [code] = (await once(child, 'close')) as [number | null];
    everything += output;
    return { code, output, told: told.slice(before) };
  }

  const imagesFor = (nodeRed: string, worker: string): NodeJS.ProcessEnv => ({
    IMAGE: server.images[nodeRed] ?? nodeRed,
    WORKER_IMAGE: server.images[worker] ?? worker,
  });
  const deploy = (nodeRed: string, worker = nodeRed, during?: During): Promise<Ended> =>
    script(['deploy.sh'], imagesFor(nodeRed, worker), during);

  /** Does `action` when a script prints `text`. */
  function when(text: string, action: (child: { pid?: number }) => void): During {
    let done = false;
    return (output, child) => {
      if (done || !output.includes(text)) return;
      done = true;
      action(child);
    };
  }

  const docker = (...args: string[]): string =>
    execFileSync('docker', args, { env: server.env, encoding: 'utf8' });

  /** The versions of a service's containers, running or not. */
  function versionsOf(service: string): string[] {
    const labels = [`project=${server.project}`, `service=${service}`].map(
      (label) => `label=com.docker.compose.${label}`,
    );
    const ids = docker('ps', '-aq', ...labels.flatMap((label) => ['--filter', label])).split('\n');
    return ids.filter(Boolean).map((id) => {
      const [{ Config, State }] = JSON.parse(docker('inspect', id)) as [
        { Config: { Env: string[] }; State: { Running: boolean } },
      ];
      const version = Config.Env.find((line) => line.startsWith('VERSION='))!.slice('VERSION='.length);
      return State.Running ? version : `${version}, ended`;
    });
  }

  /** That one version runs: as containers, behind nginx, and in what the stack says of itself. */
  async function assertRuns(nodeRed: string, worker = nodeRed): Promise<void> {
    assert.deepEqual(versionsOf('node-red'), [nodeRed]);
    assert.deepEqual(versionsOf('worker'), [worker, worker]);
    const settings = readFileSync(join(server.stack, '.env'), 'utf8').split('\n');
    assert.deepEqual(settings.filter((line) => line.includes('IMAGE=')).toSorted(), [
      `M2FP_IMAGE=${server.images[nodeRed]}`,
      `M2FP_WORKER_IMAGE=${server.images[worker]}`,
    ]);
    assert.ok(settings.includes(`SECRET=${SECRETS.stack}`));
    assert.deepEqual(readdirSync(join(server.stack, 'nginx/state')), []);
    assert.equal(await (await fetch(`${server.url}/version`)).text(), nodeRed);
    execFileSync('flock', ['--nonblock', join(server.stack, '.deploy/lock'), 'true']);
  }

  function assertTold(ended: Ended, type: 'success' | 'failure', ...texts: string[]): void {
    assert.equal(ended.told.length, 1, ended.output);
    assert.equal(ended.told[0]!.type, type, ended.output);
    assert.equal(ended.code, type === 'success' ? 0 : 1, ended.output);
    const text = `${ended.told[0]!.title}\n${ended.told[0]!.message}`;
    for (const part of texts) assert.ok(text.includes(part), `${part} is not in: ${text}`);
  }

  const underLoad = <T>(action: () => Promise<T>): Promise<{ ended: T; results: Load['results'] }> =>
    Load.during(action, `${server.url}/parse`);

  function assertNoneLost(results: Load['results'], ...versions: string[]): void {
    assert.ok(results.length > 20);
    assert.deepEqual(
      results.filter(({ status }) => status !== 200),
      [],
    );
    const answered = new Set(results.map(({ body }) => (JSON.parse(body) as { version: string }).version));
    assert.deepEqual([...answered], versions);
  }

  before(async function () {
    this.timeout(400_000);
    hook.listen(0, '127.0.0.1');
    server = await startDeployServer(await containers());
    appendFileSync(join(server.stack, '.env'), `SECRET=${SECRETS.stack}\n`);
  });
  after(async () => {
    hook.close();
    await server?.stop();
  });

  it('that is the first one and fails leaves nothing, and says so', async () => {
    assertTold(
      await deploy('exits', 'one'),
      'failure',
      'it ended by itself',
      'no version before',
      'Neither Node-RED nor workers run, as before.',
    );
    assert.deepEqual([...versionsOf('node-red'), ...versionsOf('worker')], []);
  });

  it('brings the first version', async () => {
    assertTold(await deploy('one'), 'success', `${server.images['one']} runs`, 'Before: nothing.');
    await assertRuns('one');
  });

  it('does not go back where there is no version before', async () => {
    assertTold(
      await script(['rollback.sh']),
      'failure',
      'there is no version before this one',
      'Nothing was changed',
    );
    await assertRuns('one');
  });

  it('loses no request: the new Node-RED starts beside the old one', async () => {
    const { ended, results } = await underLoad(() => deploy('two'));
    assertTold(
      ended,
      'success',
      `${server.images['two']} runs`,
      `Before: ${server.images['one']}`,
      'without a pause',
    );
    assertNoneLost(results, 'one', 'two');
    await assertRuns('two');
  });

  it('to the version that runs changes nothing', async () => {
    assertTold(await deploy('two'), 'success', 'It ran already.');
    await assertRuns('two');
  });

  // What may go wrong, from two on: each time one request after the other is answered by it.
  const absent = `localhost:1/absent@sha256:${'0'.repeat(64)}`;
  const failures: Record<string, { nodeRed: string; worker?: string; says: string[]; timeout?: number }> = {
    'a wrong digest': { nodeRed: absent, says: ['Pulling', `${absent} could not be pulled`] },
    'an image that exits': {
      nodeRed: 'exits',
      says: ['the node-red that was started is not ready', 'it ended by itself'],
    },
    'a worker that is never ready': {
      nodeRed: 'one',
      worker: 'unready',
      says: ['the worker that was started is not ready'],
      timeout: 5,
    },
    'a Node-RED that is never ready': {
      nodeRed: 'unready',
      says: ['is not ready: the model is not here'],
      timeout: 5,
    },
    'a wrong answer to the picture': {
      nodeRed: 'wrong',
      worker: 'one',
      says: ['Smoke test', '0 persons in a picture of 2'],
    },
    'a disk that is full while pulling': {
      nodeRed: 'big',
      says: [`big@`, 'could not be pulled'],
    },
  };
  for (const [name, { nodeRed, worker = 'two', says, timeout = 60 }] of Object.entries(failures))
    it(`goes back from ${name}, and loses no request`, async () => {
      const file = join(server.stack, '.env');
      const settings = readFileSync(file, 'utf8');
      writeFileSync(file, settings.replace(/^(M2FP_READY_TIMEOUT)=.*$/m, `$1=${timeout}`));
      const { ended, results } = await underLoad(() => deploy(nodeRed, worker));
      assertTold(ended, 'failure', 'the version before runs', ...says, `${server.images['two']} runs.`);
      assertNoneLost(results, 'two');
      writeFileSync(file, settings);
      await assertRuns('two');
    });

  it('refuses to begin on a disk that is full', async () => {
    const runs = join(server.stack, '.deploy/runs');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80k', 'tmpfs', runs]);
    try {
      assertTold(await deploy('one'), 'failure', 'did not begin', 'the disk is full. Nothing was changed.');
    } finally {
      execFileSync('umount', [runs]);
    }
    await assertRuns('two');
  });

  it('goes on when the connection is lost, and is found again', async () => {
    const ended = await deploy(
      'one',
      'one',
      when('Workers', () => void server.ssh.hangUp()),
    );
    assert.match(ended.output, /The connection is lost/);
    assertTold(ended, 'success', `${server.images['one']} runs`);
    await assertRuns('one');
  });

  it('is told once by whoever comes later when the one who watched is gone', async () => {
    const { code, told: none } = await deploy(
      'two',
      'one',
      when('Node-RED', ({ pid }) => process.kill(pid!, 'SIGKILL')),
    );
    assert.deepEqual([code, none], [null, []]);
    assertTold(await script(['deploy.sh', '--finish']), 'success', `${server.images['two']} runs`);
    const again = await script(['deploy.sh', '--finish']);
    assert.deepEqual([again.code, again.told], [0, []]);
    await assertRuns('two', 'one');
  });

  it('goes back when it is stopped by hand', async () => {
    const ended = await deploy(
      'one',
      'one',
      when('beside the old one', ({ pid }) => process.kill(pid!, 'SIGTERM')),
    );
    assertTold(ended, 'failure', 'it was stopped by hand', `${server.images['two']} runs.`);
    await assertRuns('two', 'one');
  });

  it('refuses a second one at the same time', async () => {
    let second: Promise<Ended> | undefined;
    const first = await deploy(
      'one',
      'one',
      when('Pulling', () => {
        second = script(['deploy.sh'], imagesFor('wrong', 'wrong'));
      }),
    );
    const refused = await second!;
    assert.equal(refused.code, 1);
    assert.match(refused.output, /Another deploy is running there; this one has changed nothing/);
    // Each of them is told once.
    assert.deepEqual(
      first.told.map(({ type, title }) => `${type}: ${title.replace(/^.*?: /, '')}`).toSorted(),
      ['failure: deploy did not begin', 'success: the deploy is done'],
    );
    await assertRuns('one');
  });

  it('is taken back, and that is taken back', async () => {
    const { ended, results } = await underLoad(() => script(['rollback.sh']));
    assertTold(ended, 'success', 'the rollback is done', `${server.images['two']} runs`);
    assertNoneLost(results, 'one', 'two');
    await assertRuns('two', 'one');
    assertTold(await script(['rollback.sh']), 'success', `${server.images['one']} runs`);
    await assertRuns('one');
  });

  it('replaces a Node-RED that does things by itself, answering 503 meanwhile', async () => {
    const { ended, results } = await underLoad(() => deploy('timer', 'one'));
    assertTold(ended, 'success', 'was stopped first');
    const others = results.filter(({ status }) => status !== 200);
    for (const { status, retryAfter } of others) assert.deepEqual([status, retryAfter], [503, '10']);
    await assertRuns('timer', 'one');
  });

  it('brings the old one back where that fails', async () => {
    assertTold(
      await deploy('exits', 'one'),
      'failure',
      'is stopped first',
      `${server.images['timer']} runs.`,
    );
    await assertRuns('timer', 'one');
  });

  it('puts things right after one that was killed on the server', async () => {
    const killed = await deploy(
      'one',
      'two',
      when('The new workers are ready', () => {
        execFileSync('pkill', ['-KILL', '-f', `${server.stack}/.deploy/runs/.*/on-server.sh (run|steps)`]);
      }),
    );
    assertTold(killed, 'failure', 'was killed on the server');
    assertTold(await deploy('two'), 'success', `${server.images['two']} runs`);
    await assertRuns('two');
  });

  it('does not log in where the host key is another one', async () => {
    const key = server.ssh.knownHosts.replace(
      /ssh-ed25519 .*/,
      readFileSync(join(server.folder, 'user.pub'), 'utf8'),
    );
    const ended = await script(['deploy.sh'], { ...imagesFor('one', 'one'), DEPLOY_KNOWN_HOSTS: key });
    assertTold(ended, 'failure', 'did not begin');
    assert.match(ended.output, /Host key verification failed/);
    await assertRuns('two');
  });

  it('takes images by digest only', async () => {
    const { code, output } = await script(['deploy.sh'], {
      IMAGE: 'm2fp:latest',
      WORKER_IMAGE: server.images['one'],
    });
    assert.equal(code, 2);
    assert.match(output, /must be NAME@sha256:DIGEST/);
  });

  it('leaves the password of the registry nowhere, also where the registry does not take it', async () => {
    const ended = await script(['deploy.sh'], {
      ...imagesFor('one', 'two'),
      REGISTRY_USER: 'ci',
      REGISTRY_PASSWORD: SECRETS.registry,
    });
    assertTold(ended, 'failure', 'did not begin');
    assert.match(ended.output, /does not let ci in/);
    const { status, stdout } = spawnSync('grep', ['-rlF', SECRETS.registry, server.stack], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout], [1, '']);
    await assertRuns('two');
  });

  it('never prints a secret', () => {
    const lines = server.ssh.key.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
    for (const secret of [...Object.values(SECRETS), ...lines]) assert.ok(!everything.includes(secret));
    assert.ok(everything.length > 5000);
  });
});
