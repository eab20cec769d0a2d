/** A deploy of the real images into the real stack, and one that fails, with pictures coming all the time. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { type Containers, containers } from '../support/containers.ts';
import { images } from '../support/images.ts';
import { Load } from '../support/load.ts';
import { type Ran, tryRun } from '../support/run.ts';
import { SshServer } from '../support/server.ts';
import { Stack } from '../support/stack.ts';

const PICTURE = readFileSync(join(root, 'models/demo/samples/two-people.png'));
/** Flows whose answer to a picture has nobody in it. */
const BLIND = [
  { id: 'tab', type: 'tab', label: 'blind' },
  ...['parse', 'ready'].flatMap((path) => [
    {
      id: path,
      z: 'tab',
      type: 'http in',
      url: `/${path}`,
      method: path === 'parse' ? 'post' : 'get',
      wires: [[`${path}-set`]],
    },
    {
      id: `${path}-set`,
      z: 'tab',
      type: 'change',
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"persons":[]}', tot: 'json' }],
      wires: [[`${path}-out`]],
    },
    { id: `${path}-out`, z: 'tab', type: 'http response', wires: [] },
  ]),
];

describe('a deploy of the image', function () {
  this.timeout(300_000);
  let own: Containers;
  let stack: Stack;
  let ssh: SshServer;
  const versions: Record<'next' | 'blind' | 'worker' | 'nextWorker', string> = {
    next: '',
    blind: '',
    worker: '',
    nextWorker: '',
  };
  let printed = '';

  /** The name by digest of a local image. */
  const byDigest = (image: string): Promise<string> =>
    own.podman('image', 'inspect', '--format', '{{index .RepoDigests 0}}', image);

  /** An image on top of another one; its name by digest. */
  async function derive(from: string, name: string, ...lines: string[]): Promise<string> {
    const folder = join(own.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'flows.json'), JSON.stringify(BLIND));
    writeFileSync(join(folder, 'Dockerfile'), [`FROM ${from}`, `LABEL name=${name}`, ...lines].join('\n'));
    await own.podman('build', '--quiet', '--format=docker', '--tag', `localhost/${name}`, folder);
    return byDigest(`localhost/${name}`);
  }

  async function deploy(image: string, worker: string): Promise<Ran> {
    const ran = await tryRun('bash', [join(root, 'deploy/deploy.sh')], {
      env: {
        PATH: process.env['PATH'],
        HOME: own.folder,
        ...ssh.environment,
        DEPLOY_DIR: stack.folder,
        IMAGE: image,
        WORKER_IMAGE: worker,
      },
    });
    printed += ran.output;
    return ran;
  }

  /** Deploys while pictures come all the time; all must be answered with two people. */
  async function deployUnderLoad(image: string, worker: string): Promise<Ran> {
    const url = `https://localhost:${stack.ports.https}/parse`;
    const { ended: ran, results } = await Load.during(() => deploy(image, worker), url, PICTURE, 1000, 8);
    const answers = results.map(({ status, body }) =>
      status === 200 ? (JSON.parse(body) as { persons: unknown[] }).persons.length : `${status}: ${body}`,
    );
    assert.ok(answers.length > 3);
    assert.deepEqual(new Set(answers), new Set([2]), `${answers.join('\n')}\n${ran.output}`);
    return ran;
  }

  async function assertRuns(image: string, worker: string): Promise<void> {
    const running = async (service: string): Promise<string[]> => {
      const ids = await stack.ids(service);
      return await Promise.all(ids.map((id) => own.podman('inspect', '--format', '{{.Image}}', id)));
    };
    const id = (name: string): Promise<string> => own.podman('image', 'inspect', '--format', '{{.Id}}', name);
    assert.deepEqual(await running('node-red'), [await id(image)]);
    assert.deepEqual(await running('worker'), [await id(worker), await id(worker)]);
  }

  before(async function () {
    this.timeout(600_000);
    own = await containers();
    stack = await Stack.prepare(own, {
      M2FP_RATE: '1000r/s',
      M2FP_BURST: '1000',
      COMPOSE_FILE: 'compose.yaml:compose.override.yaml',
    });
    const made = await images(own);
    const file = join(stack.folder, 'compose.override.yaml');
    const override = JSON.parse(readFileSync(file, 'utf8')) as { services: Record<string, object> };
    // No registry here has Grafana.
    override.services['grafana'] = { image: made.base, entrypoint: ['sleep', 'infinity'] };
    writeFileSync(file, JSON.stringify(override));
    versions.worker = await byDigest(made.worker);
    versions.next = await derive(made.nodeRed, 'next');
    versions.nextWorker = await derive(made.worker, 'next-worker');
    const flows = [
      'COPY flows.json /usr/src/flows/flows.json',
      'ENV M2FP_FLOW_FILE=/usr/src/flows/flows.json',
    ];
    versions.blind = await derive(made.nodeRed, 'blind', ...flows);
    const folder = join(own.folder, 'image-server');
    mkdirSync(folder);
    ssh = await SshServer.start(folder, own.env);
    await stack.up();
  });
  after(async () => {
    await ssh?.stop(stack.folder);
    await stack?.down();
  });

  it('loses no picture, neither of Node-RED nor of the workers', async () => {
    const { code, output } = await deployUnderLoad(versions.next, versions.nextWorker);
    assert.equal(code, 0, output);
    assert.match(output, /2 persons found, as it should be/);
    assert.match(output, /It took over from the one before without a pause/);
    await assertRuns(versions.next, versions.nextWorker);
  });

  it('that fails goes back, and loses no picture', async () => {
    const { code, output } = await deployUnderLoad(versions.blind, versions.worker);
    assert.equal(code, 1, output);
    assert.match(output, /the smoke test: 0 persons in a picture of 2/);
    await assertRuns(versions.next, versions.nextWorker);
  });

  it('prints none of the secrets of the stack', () => {
    for (const name of ['redis_password', 'editor_password', 'mqtt_password', 'grafana_password', 'tls_key'])
      assert.ok(!printed.includes(stack.secret(name)), name);
  });
});
