/** The images of deploy/Dockerfile, built and run for real. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import type { ParsingSummary } from '../../../src/parsing/summary.ts';
import { twoPeople } from '../../support/images.ts';
import { root } from '../../support/installed-package.ts';
import { freePort } from '../../support/node-red.ts';
import { type Containers, containers } from '../support/containers.ts';
import { type Images, images } from '../support/images.ts';
import { until } from '../support/run.ts';

/** Bytes that may come on top of the base image. */
const OUR_LAYERS = 150e6;
/** Milliseconds in which Node-RED has to end. */
const END = 15_000;
/** As in compose.yaml. */
const CLOSED = ['--read-only', '--tmpfs=/tmp', '--cap-drop=ALL', '--security-opt=no-new-privileges'];

interface State {
  Status: string;
  ExitCode: number;
  StartedAt: string;
}

interface Config {
  User: string;
  StopSignal: string;
  Labels: Record<string, string>;
}

describe('the images', function () {
  this.timeout(300_000);
  let host: Containers;
  let built: Images;
  const running: string[] = [];

  before(async () => {
    host = await containers();
    built = await images(host);
  });
  after(async () => {
    if (running.length > 0) await host.docker('rm', '--force', '--volumes', ...running);
  });

  /** Runs an image under a name that this test ends. */
  async function start(name: string, options: string[], ...command: string[]): Promise<void> {
    running.push(name);
    await host.docker('run', '--detach', '--name', name, ...CLOSED, ...options, ...command);
  }

  async function state(name: string): Promise<State> {
    return JSON.parse(await host.docker('inspect', '--format', '{{json .State}}', name)) as State;
  }

  /** Resolves when the image's own health check says so. */
  const ready = (name: string) =>
    until(`${name} is ready`, async () => {
      const { code, output } = await host.try('docker', ['exec', name, 'm2fp-ready']);
      if (code !== 0) throw new Error(`${output}\n${await host.docker('logs', name)}`);
      return true;
    });

  async function parse(url: string): Promise<ParsingSummary> {
    const response = await fetch(`${url}/parse`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: Uint8Array.from(twoPeople),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text) as ParsingSummary;
  }

  async function assertParses(url: string): Promise<ParsingSummary> {
    const summary = await parse(url);
    assert.deepEqual([summary.width, summary.height, summary.persons.length], [448, 448, 2]);
    return summary;
  }

  for (const target of ['nodeRed', 'worker'] as const)
    describe(target === 'nodeRed' ? 'with Node-RED' : 'of the worker', () => {
      it('adds no more than 150 MB to its base', async () => {
        const sizes = await Promise.all(
          [built[target], built.base].map((image) =>
            host.docker('image', 'inspect', '--format', '{{.Size}}', image),
          ),
        );
        const [whole = 0, base = 0] = sizes.map(Number);
        assert.ok(whole > base && whole - base < OUR_LAYERS, `${(whole - base) / 1e6} MB`);
      });

      it('has the libraries of this platform, and no other', async () => {
        const patterns = ['*.so', '*.so.*', '*.dll', '*.dylib', '*.node'];
        const names = patterns.flatMap((pattern) => ['-o', '-name', pattern]).slice(1);
        const find = ['--entrypoint=find', built[target], '/usr/src/node_modules', '-type', 'f'];
        const found = await host.docker('run', '--rm', ...find, '(', ...names, ')');
        const files = found.split('\n');
        const platform = new RegExp(`\\b${process.platform}[/-]${process.arch}\\b`);
        assert.ok(
          files.some((file) => file.includes('libonnxruntime')),
          found,
        );
        assert.deepEqual(
          files.filter((file) => !platform.test(file)),
          [],
        );
      });

      it('says what it is, how to ask it, and runs without root', async () => {
        // docker does not tell of the health check what podman does.
        const [{ Config, Healthcheck }] = JSON.parse(
          await host.podman('image', 'inspect', built[target]),
        ) as [{ Config: Config; Healthcheck: { Test: string[] } }];
        assert.equal(Config.User, '1000');
        assert.equal(Config.StopSignal, 'SIGTERM');
        assert.deepEqual(Healthcheck.Test, ['CMD', 'm2fp-ready']);
        const label = (name: string) => Config.Labels[`org.opencontainers.image.${name}`];
        assert.equal(label('version'), '0.0.0-test');
        assert.equal(label('licenses'), packageJson.license);
        assert.ok(packageJson.repository.url.includes(label('source')!));
        assert.ok(label('title') && label('description') && label('documentation') && label('revision'));
      });
    });

  describe('with Node-RED', () => {
    let url: string;

    before(async () => {
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      await start('plain', ['--memory=700m', `--publish=127.0.0.1:${port}:1880`, built.nodeRed]);
      await ready('plain');
    });

    it('parses a picture that is posted to it, natively', async () => {
      const { model } = await assertParses(url);
      assert.deepEqual([model.id, model.provider], ['m2fp-demo', 'cpu']);
    });

    it('shows nobody an editor while it has no password for it', async () => {
      for (const path of ['/', '/editor', '/editor/', '/flows', '/editor/flows', '/settings'])
        assert.equal((await fetch(url + path)).status, 404, path);
    });

    it('brings the command, which sees its models', async () => {
      assert.match(await host.docker('exec', 'plain', 'm2fp', 'doctor'), /m2fp-demo/);
    });

    it('ends by itself within 15 seconds, without an error, also while it parses', async () => {
      const parsing = fetch(`${url}/parse`, { method: 'POST', body: Uint8Array.from(twoPeople) }).then(
        ({ status }) => status,
        () => 'closed',
      );
      const before = performance.now();
      await host.docker('stop', '--time', '30', 'plain');
      const took = performance.now() - before;
      assert.deepEqual([(await state('plain')).ExitCode, took < END], [0, true], `${took} ms`);
      await parsing;
    });

    it('says why it is not ready', async () => {
      const folder = userFolder([]);
      await start('without', ['--volume', `${folder}:/data`, built.nodeRed]);
      const said = await until('Node-RED answers', async () => {
        const { code, output } = await host.try('docker', ['exec', 'without', 'm2fp-ready']);
        assert.equal(code, 1);
        return output.includes('404') && output;
      });
      assert.match(said, /\/ready: it answers 404/);
      assert.equal(readFileSync(join(folder, 'flows.json'), 'utf8'), '[]', 'flows that are there stay');
    });
  });

  /** A folder for /data with these flows. */
  function userFolder(flows: object[]): string {
    const folder = mkdtempSync(join(host.folder, 'data-'));
    writeFileSync(join(folder, 'flows.json'), JSON.stringify(flows));
    chownSync(folder, 1000, 1000);
    return folder;
  }

  describe('killed at its memory limit', () => {
    it('comes back, and parses', async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const example = (name: string) =>
        JSON.parse(readFileSync(join(root, 'examples', `${name}.json`), 'utf8')) as object[];
      const at = { z: 'hungry', x: 100, y: 100 };
      const folder = userFolder([
        ...example('2 HTTP API'),
        ...example('8 Health and metrics'),
        { id: 'hungry', type: 'tab', label: 'Takes all memory' },
        { id: 'eat', type: 'http in', url: '/eat', method: 'post', wires: [['eats']], ...at },
        {
          id: 'eats',
          type: 'function',
          func: 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 24, 1));',
          wires: [[]],
          ...at,
        },
      ]);
      await start('hungry', [
        '--memory=500m',
        '--memory-swap=500m',
        '--restart=unless-stopped',
        '--volume',
        `${folder}:/data`,
        `--publish=127.0.0.1:${port}:1880`,
        built.nodeRed,
      ]);
      await ready('hungry');
      const { StartedAt: first } = await state('hungry');
      await assert.rejects(fetch(`${url}/eat`, { method: 'POST' }));
      await until('it was started again', async () => (await state('hungry')).StartedAt !== first);
      await ready('hungry');
      await assertParses(url);
    });
  });

  describe('of the worker', () => {
    it('parses for a Node-RED, through a Redis with a password from a file', async () => {
      const port = await freePort();
      const secrets = join(host.folder, 'image-secrets');
      mkdirSync(secrets);
      writeFileSync(join(secrets, 'redis'), 'a password of the tests\n', { mode: 0o444 });
      writeFileSync(join(secrets, 'editor'), 'another one\n', { mode: 0o444 });
      const network = `m2fp-image-${process.pid}`;
      await host.docker('network', 'create', network);
      const shared = [`--network=${network}`, `--volume=${secrets}:/run/secrets:ro`];
      await start(
        'redis',
        [...shared, '--entrypoint=sh', built.base],
        '-c',
        '(echo "save \\"\\""; echo "requirepass \\"$(cat /run/secrets/redis)\\"") | exec redis-server -',
      );
      await start(
        'worker',
        [...shared, '--memory=700m', '--restart=unless-stopped', built.worker],
        '--redis=redis://redis:6379',
        '--password-file=/run/secrets/redis',
      );
      await ready('worker');
      await start('client', [
        ...shared,
        `--publish=127.0.0.1:${port}:1880`,
        '--env=M2FP_REDIS_URL=redis://redis:6379',
        '--env=M2FP_QUEUE=m2fp',
        '--env=M2FP_REDIS_PASSWORD_FILE=/run/secrets/redis',
        '--env=M2FP_EDITOR_PASSWORD_FILE=/run/secrets/editor',
        built.nodeRed,
      ]);
      await ready('client');
      const url = `http://127.0.0.1:${port}`;
      await assertParses(url);
      const login = (password: string) =>
        fetch(`${url}/editor/auth/token`, {
          method: 'POST',
          body: new URLSearchParams({
            client_id: 'node-red-editor',
            grant_type: 'password',
            scope: '*',
            username: 'admin',
            password,
          }),
        });
      assert.equal((await fetch(`${url}/editor/flows`)).status, 401);
      assert.equal((await login('wrong')).status, 403);
      assert.equal((await login('another one')).status, 200);
      for (const name of ['worker', 'client', 'redis']) {
        const said = `${await host.docker('logs', name)}${await host.docker('inspect', name)}`;
        assert.ok(!said.includes('a password of the tests') && !said.includes('another one'), name);
      }
      await host.docker('stop', '--time', '30', 'worker');
      assert.equal((await state('worker')).ExitCode, 0);
    });
  });
});
