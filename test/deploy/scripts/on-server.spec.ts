/**
 * deploy.sh and what it does on a server, with a docker and an ssh that are played: for what goes wrong at moments which real
 * containers seldom meet. deploy.spec.ts has the real ones.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { until } from '../support/run.ts';

interface Container {
  id: string;
  service: string;
  project: string;
  image: string;
  running: boolean;
}

interface State {
  /** What compose calls the stack. */
  project: string;
  /** All that are here; an image's ID is made of its name. */
  images: string[];
  containers: Container[];
  startsNothing?: boolean;
  noCompose?: boolean;
  /** Milliseconds. */
  slowLogin?: number;
  slowPull?: number;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
/** An image by its digest. */
const image = (name: string): string => `registry.test/${name}@sha256:${sha256(name)}`;

describe('a deploy on a server that is played', function () {
  this.timeout(60_000);
  let home: string;
  let stack: string;
  const started = new Set<ChildProcess>();

  const readState = (): State => JSON.parse(readFileSync(join(home, 'state.json'), 'utf8')) as State;
  const writeState = (state: State): void => writeFileSync(join(home, 'state.json'), JSON.stringify(state));

  /** What runs of a service, by the names of images. */
  function running(service: string): (string | undefined)[] {
    const { containers, images } = readState();
    return containers
      .filter((one) => one.service === service && one.running)
      .map((one) => images.find((name) => sha256(name) === one.image));
  }

  /** Lets it be as after a deploy. */
  function has(nodeRed: string[], worker: string[], settings: string[], project = 'm2fp'): void {
    const container = (service: string) => (name: string, i: number) => ({
      id: sha256(`${service} ${i}`),
      service,
      project,
      image: sha256(name),
      running: true,
    });
    writeState({
      project,
      images: ['good', 'next', 'unready', 'slow', 'wrong', 'worker'].map(image).concat('localhost/m2fp:mine'),
      containers: [
        ...nodeRed.map(container('node-red')),
        ...worker.map(container('worker')),
        container('nginx')('nginx', 0),
      ],
    });
    writeFileSync(join(stack, '.env'), `${settings.join('\n')}\nM2FP_READY_TIMEOUT=2\n`);
  }
  const hasGood = (name = 'good'): void =>
    has(
      [image(name)],
      [image('worker'), image('worker')],
      [`M2FP_IMAGE=${image(name)}`, `M2FP_WORKER_IMAGE=${image('worker')}`],
    );

  interface Ran {
    child: ChildProcess;
    output(): string;
    /** Its code. */
    ended: Promise<number | null>;
  }

  const environmentFor = (name: string | undefined): NodeJS.ProcessEnv => ({
    PATH: `${join(import.meta.dirname, '../support/fake')}:${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: home,
    FAKE: home,
    DEPLOY_HOST: 'server.test',
    DEPLOY_DIR: 'stack',
    DEPLOY_STRATEGY: 'replace',
    ...(name === undefined ? {} : { IMAGE: image(name) }),
  });

  function begin(name: string | undefined, environment: NodeJS.ProcessEnv = {}, ...args: string[]): Ran {
    const child = spawn('bash', [join(root, 'deploy/deploy.sh'), ...args], {
      env: { ...environmentFor(name), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    return {
      child,
      output: () => output,
      ended: once(child, 'close').then(([code]) => code as number | null),
    };
  }

  /** Deploys; what it printed. */
  async function deploy(name: string, code = 0, environment: NodeJS.ProcessEnv = {}): Promise<string> {
    const ran = begin(name, environment);
    assert.equal(await ran.ended, code, ran.output());
    return ran.output();
  }

  const printed = (ran: Ran, text: string): Promise<unknown> =>
    until(`it prints ${text}`, async () => ran.output().includes(text), 30_000);

  function assertOpen(): void {
    assert.deepEqual(readdirSync(join(stack, 'nginx/state')), []);
  }

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'm2fp-played-'));
    stack = join(home, 'stack');
    mkdirSync(join(stack, 'nginx/state'), { recursive: true });
    writeFileSync(join(stack, 'compose.yaml'), '');
  });
  afterEach(async () => {
    for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
    started.clear();
    // What goes on by itself ends with the lock.
    if (existsSync(join(stack, '.deploy/lock')))
      execFileSync('flock', ['--timeout', '20', join(stack, '.deploy/lock'), 'true']);
    rmSync(home, { recursive: true, force: true });
  });

  it('goes back also when it is stopped twice', async () => {
    hasGood('slow');
    const ran = begin('unready');
    await printed(ran, 'the old one is stopped first');
    writeFileSync(join(home, 'slow'), '');
    ran.child.kill('SIGINT');
    await printed(ran, 'FAILED: it was stopped by hand');
    ran.child.kill('SIGTERM');
    await until('it asks again', async () => ran.output().split('Stopping:').length === 3, 10_000);
    await new Promise((resolve) => setTimeout(resolve, 700));
    rmSync(join(home, 'slow'));
    assert.equal(await ran.ended, 1);
    assert.match(ran.output(), /the version before runs/);
    assert.deepEqual(running('node-red'), [image('slow')]);
    assertOpen();
  });

  it('says that it was stopped by hand, at once, also while it pulls', async () => {
    hasGood();
    writeState({ ...readState(), slowPull: 60_000 });
    const ran = begin('absent');
    await printed(ran, 'Pulling');
    ran.child.kill('SIGINT');
    assert.equal(await ran.ended, 1);
    assert.match(ran.output(), /It failed at "Pulling": it was stopped by hand\./);
    assert.deepEqual(running('node-red'), [image('good')]);
  });

  it('is told as it ended, whatever the clock of whoever asks', async () => {
    hasGood();
    for (let i = 10; i < 35; i += 1)
      mkdirSync(join(stack, `.deploy/runs/29990101T0000${i}Z-1`), { recursive: true });
    assert.match(await deploy('next'), /next@.* runs/);
    const again = begin(undefined, {}, '--finish');
    assert.equal(await again.ended, 0, again.output());
    assert.match(again.output(), /the deploy is done[^]*This was told already/);
  });

  it('does not begin with a time that is none in .env', async () => {
    hasGood();
    appendFileSync(join(stack, '.env'), 'M2FP_READY_TIMEOUT=25s\n');
    assert.match(
      await deploy('next', 1),
      /M2FP_READY_TIMEOUT is 25s in \.env, and must be whole seconds\. Nothing was changed\./,
    );
    assert.deepEqual(running('node-red'), [image('good')]);
  });

  it('does not begin where docker has no compose, and says so', async () => {
    hasGood();
    writeState({ ...readState(), noCompose: true });
    // The old one is not to be found either.
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'docker-compose'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
    const ran = begin('next', {
      PATH: `${join(import.meta.dirname, '../support/fake')}:${bin}:${process.env['PATH']}`,
    });
    assert.equal(await ran.ended, 1);
    assert.match(ran.output(), /docker has no compose here: install its plugin\. Nothing was changed\./);
    assert.equal(ran.output().split('Nothing was changed').length, 2);
  });

  it('puts the workers back also where nginx does not, and says what runs', async () => {
    hasGood();
    writeFileSync(join(home, 'bad-nginx'), '');
    const ran = begin('next', { WORKER_IMAGE: image('next') });
    assert.equal(await ran.ended, 1);
    assert.match(ran.output(), /What runs now: node-red .*, worker .*worker@sha256/);
    assert.deepEqual(running('worker'), [image('worker'), image('worker')]);
  });

  it('reads nothing of what its caller reads', async () => {
    hasGood();
    const lines = execFileSync(
      'bash',
      [
        '-c',
        `printf '1\\n2\\n' | while read -r line; do bash "$0"; echo "line $line"; done`,
        join(root, 'deploy/deploy.sh'),
      ],
      {
        env: environmentFor('next'),
        encoding: 'utf8',
      },
    );
    assert.deepEqual(lines.match(/line \d/g), ['line 1', 'line 2']);
  });

  it('brings a new version where the one before cannot be put right', async () => {
    hasGood('unready');
    writeFileSync(join(stack, 'nginx/state/maintenance'), '');
    const output = await deploy('next');
    assert.match(output, /does not come back: going on with the new version/);
    assert.deepEqual(running('node-red'), [image('next')]);
    assertOpen();
  });

  it('says what is true where neither version is ready', async () => {
    hasGood('unready');
    writeFileSync(join(stack, 'nginx/state/maintenance'), '');
    const output = await deploy('wrong', 1);
    assert.match(
      output,
      /wrong@.* was to run\. It failed at "Smoke test: one picture": the smoke test: 0 persons/,
    );
    assert.match(
      output,
      /Going back to .*unready@.* failed: .*Until a deploy succeeds, requests are answered 503/,
    );
  });

  it('never removes what ran before, also where nobody knows its digest', async () => {
    has(['localhost/m2fp:mine'], [], ['M2FP_IMAGE=localhost/m2fp:mine']);
    const output = await deploy('wrong', 1);
    assert.match(output, /the version before runs/);
    assert.deepEqual(running('node-red'), ['localhost/m2fp:mine']);
    assertOpen();
  });

  it('ends with nginx answering, whatever was left before', async () => {
    has([], [], []);
    for (const [name, text] of [
      ['maintenance', ''],
      ['upstream.conf', 'set $node_red gone;'],
    ] as const)
      writeFileSync(join(stack, 'nginx/state', name), text);
    assert.match(await deploy('next'), /It is the first one/);
    assertOpen();
  });

  for (const line of ['', 'COMPOSE_PROJECT_NAME="my-stack"  # ours'])
    it(`finds the containers of a stack that ${line === '' ? 'has its name from elsewhere' : 'is named in quotes'}`, async () => {
      has([image('good')], [], [line, `M2FP_IMAGE=${image('good')}`], 'my-stack');
      await deploy('next');
      assert.deepEqual(running('node-red'), [image('next')]);
      assert.deepEqual([...new Set(readState().containers.map(({ project }) => project))], ['my-stack']);
    });

  it('says so where compose started no container', async () => {
    has([], [], []);
    writeState({ ...readState(), startsNothing: true });
    assert.match(await deploy('next', 1), /docker compose started no node-red in the stack m2fp/);
  });

  it('is followed where the connection was lost while the registry took its time', async () => {
    hasGood();
    writeState({ ...readState(), slowLogin: 3000 });
    writeFileSync(join(home, 'lose-start'), '');
    const output = await deploy('next', 0, { REGISTRY_USER: 'ci', REGISTRY_PASSWORD: 'reg1stry-passw0rd' });
    assert.match(output, /the deploy is done/);
    assert.deepEqual(running('node-red'), [image('next')]);
  });

  it('says that nothing was changed where the connection was lost before anything had begun', async () => {
    hasGood();
    writeFileSync(join(home, 'lose-start'), '');
    rmSync(join(stack, 'compose.yaml'));
    assert.match(await deploy('next', 1), /did not begin\nIt has changed nothing/);
    assert.deepEqual(running('node-red'), [image('good')]);
  });

  it('says that there is nothing to go back to, also with a registry that asks for a name', async () => {
    hasGood();
    const ran = begin(
      undefined,
      { REGISTRY_USER: 'ci', REGISTRY_PASSWORD: 'reg1stry-passw0rd' },
      '--rollback',
    );
    assert.equal(await ran.ended, 1);
    assert.match(ran.output(), /there is no version before this one\. Nothing was changed/);
  });

  it('does not wait for a deploy that never began', async () => {
    hasGood();
    await deploy('next');
    const run = join(stack, '.deploy/runs/99999999T000000Z-1');
    mkdirSync(run);
    for (const name of ['on-server.sh', 'steps.sh', 'containers.sh'])
      writeFileSync(join(run, name), readFileSync(join(root, 'deploy', name)));
    writeFileSync(join(stack, '.deploy/last'), `${run}\n`);
    const ran = begin(undefined, {}, '--finish');
    assert.equal(await ran.ended, 1);
    assert.match(ran.output(), /did not begin/);
  });

  it('leaves the password of the registry nowhere, however it ends', async () => {
    const registry = { REGISTRY_USER: 'ci', REGISTRY_PASSWORD: 'reg1stry-passw0rd' };
    const left = (): string =>
      execFileSync('sh', ['-c', 'grep -rlF reg1stry-passw0rd .deploy || true'], {
        cwd: stack,
        encoding: 'utf8',
      });
    hasGood();
    // Killed while it pulls: the next one takes it away.
    const old = join(stack, '.deploy/runs/20200101T000000Z-1/docker');
    mkdirSync(old, { recursive: true });
    writeFileSync(join(old, 'config.json'), 'reg1stry-passw0rd');
    await deploy('next', 0, registry);
    assert.equal(left(), '');
    await deploy('wrong', 1, registry);
    assert.equal(left(), '');
    // Its connection ends while it asks the registry.
    writeState({ ...readState(), slowLogin: 20_000 });
    const ran = begin('good', registry);
    const docker = (): string | undefined =>
      readdirSync(join(stack, '.deploy/runs')).find((run) =>
        existsSync(join(stack, '.deploy/runs', run, 'docker/config.json')),
      );
    const run = await until('it asks the registry', async () => docker(), 20_000);
    execFileSync('pkill', ['-TERM', '-f', `^sh .*${run}/on-server.sh start`]);
    execFileSync('pkill', ['-TERM', '-f', '--', `--config .*${run}/docker`]);
    assert.equal(await ran.ended, 1);
    await until('it is gone', async () => left() === '', 10_000);
  });

  it('is put right at once after it was killed on the server', async () => {
    hasGood();
    const ran = begin('unready');
    await printed(ran, 'the old one is stopped first');
    execFileSync('pkill', ['-KILL', '-f', `${stack}/.deploy/runs/.*/on-server.sh (run|steps)`]);
    assert.equal(await ran.ended, 1, ran.output());
    assert.match(ran.output(), /was killed on the server; things were put right/);
    assert.match(ran.output(), new RegExp(`${image('good')} runs`));
    assert.deepEqual(running('node-red'), [image('good')]);
    assertOpen();
  });

  it('leaves out what was left out: workers, Prometheus', async () => {
    has([image('good')], [], [`M2FP_IMAGE=${image('good')}`]);
    await deploy('next', 0, { WORKER_IMAGE: image('worker') });
    assert.deepEqual(running('node-red'), [image('next')]);
    assert.deepEqual(running('worker'), []);
    assert.deepEqual(running('prometheus'), []);
  });

  it('removes what a failed one has brought with the next good one', async () => {
    hasGood();
    await deploy('wrong', 1);
    await deploy('next');
    assert.ok(!readState().images.includes(image('wrong')));
    assert.ok(readState().images.includes(image('good')));
  });

  it('replaces two Node-REDs with one', async () => {
    has([image('good'), image('good')], [], [`M2FP_IMAGE=${image('good')}`]);
    await deploy('next');
    assert.deepEqual(running('node-red'), [image('next')]);
    assertOpen();
  });
});
