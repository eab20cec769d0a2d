/** A real Prometheus asks a real Node-RED and two real workers: whatever the dashboard and the alarms look for is there. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installedPackage } from '../../support/installed-package.ts';
import { twoPeople } from '../../support/images.ts';
import { example, type FlowNode, freePort, NodeRed } from '../../support/node-red.ts';
import { childrenOf } from '../../support/processes.ts';
import { requireProgram } from '../../support/programs.ts';
import { dashboardQueries, Prometheus, selectorsOf } from '../support/prometheus.ts';
import { RedisServer } from '../support/redis.ts';

/** A worker as users start it, with a port for whoever watches it; resolves when it serves. */
async function startWorker({ address: { url, queue } }: RedisServer, port: number): Promise<ChildProcess> {
  const program = join(installedPackage().folder, 'dist', 'cli', 'm2fp.js');
  const args = ['worker', '--redis', url, '--queue', queue, '--threads', '1', '--listen', String(port)];
  const worker = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'pipe'] });
  let log = '';
  worker.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(worker, 'exit').then(() => assert.fail(`The worker ended:\n${log}`));
  ended.catch(() => {});
  while (!log.includes('Serving m2fp-demo')) await Promise.race([once(worker.stderr, 'data'), ended]);
  return worker;
}

/** The example, and for each model: POST /NAME parses, and POST /NAME/burst sends twelve without a client. */
function flows({ address: { url, queue } }: RedisServer): FlowNode[] {
  const at = { z: 'tab', x: 100, y: 100 };
  const change = (id: string, to: string): FlowNode => ({
    ...at,
    id,
    type: 'change',
    rules: [{ t: 'set', p: 'topic', pt: 'msg', to: 'req.query.camera', tot: 'msg' }],
    wires: [[to]],
  });
  const burst = 'for (let i = 0; i < 12; i++) node.send({ topic: msg.topic, payload: msg.req.body });';
  const service = (name: string, infer: object): FlowNode[] => [
    {
      ...at,
      id: `${name}-in`,
      type: 'http in',
      url: `/${name}`,
      method: 'post',
      wires: [[`${name}-camera`]],
    },
    change(`${name}-camera`, `${name}-infer`),
    {
      ...at,
      id: `${name}-infer`,
      name,
      type: 'm2fp-infer',
      camera: 'topic',
      wires: [['answer'], []],
      configVersion: 2,
      ...infer,
    },
    {
      ...at,
      id: `${name}-burst-in`,
      type: 'http in',
      url: `/${name}/burst`,
      method: 'post',
      wires: [[`${name}-burst-camera`, 'answer']],
    },
    change(`${name}-burst-camera`, `${name}-burst`),
    { ...at, id: `${name}-burst`, type: 'function', func: burst, outputs: 1, wires: [[`${name}-infer`]] },
  ];
  const remote = { type: 'm2fp-model', source: 'remote', redis: url, queue, configVersion: 2 };
  const local = { type: 'm2fp-model', source: 'bundled', cacheSize: 8, threads: 1, configVersion: 2 };
  return [
    ...example('8 Health and metrics'),
    { id: 'tab', type: 'tab', label: 'Parsing' },
    { id: 'remote-model', ...remote },
    { id: 'local-model', ...local },
    ...service('remote', { model: 'remote-model' }),
    ...service('cameras', { model: 'local-model', policy: 'latest' }),
    ...service('strict', { model: 'local-model', policy: 'reject' }),
    { ...at, id: 'jobs-in', type: 'http in', url: '/jobs', method: 'post', wires: [['jobs']] },
    {
      ...at,
      id: 'jobs',
      name: 'jobs',
      type: 'm2fp-jobs',
      model: 'remote-model',
      wires: [['jobs-infer'], ['answer']],
      configVersion: 1,
    },
    {
      ...at,
      id: 'jobs-infer',
      name: 'jobs-infer',
      type: 'm2fp-infer',
      model: 'remote-model',
      wires: [['jobs-response'], []],
      configVersion: 2,
    },
    { ...at, id: 'jobs-response', type: 'm2fp-response', wires: [['answer']], configVersion: 1 },
    { ...at, id: 'catch', type: 'catch', wires: [['answer']] },
    { ...at, id: 'answer', type: 'http response', wires: [] },
  ];
}

describe('a Prometheus that asks Node-RED and workers', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let nodeRed: NodeRed;
  let prometheus: Prometheus;
  let workers: ChildProcess[] = [];
  let ports: number[];
  const rest = new AbortController();
  let traffic = Promise.resolve();

  const post = (path: string, body: Buffer = twoPeople): Promise<Response> =>
    nodeRed.post(path, {
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/octet-stream' },
    });
  /** Another picture each time, for the cache. */
  const fresh = (): Buffer => Buffer.concat([twoPeople, Buffer.from(String(Math.random()))]);

  /** Everything that may become of a picture, again and again. */
  async function keepBusy(): Promise<void> {
    for (let round = 0; !rest.signal.aborted; round++) {
      await Promise.all([
        post('/remote?camera=gate', fresh()),
        post('/remote?camera=gate', Buffer.from('no picture')),
        post('/cameras?camera=yard'),
        post('/cameras/burst?camera=yard', fresh()),
        post('/strict/burst?camera=hall', fresh()),
        post('/jobs', fresh()),
      ]);
      if (round % 4 === 1) {
        // In the middle of a picture.
        const running = post('/cameras?camera=yard', fresh());
        await sleep(20);
        for (const pid of childrenOf(nodeRed.child.pid!)) process.kill(pid, 'SIGKILL');
        await running;
      }
      await sleep(200);
    }
  }

  before(async () => {
    ports = [await freePort(), await freePort()];
    redis = await RedisServer.start();
    [nodeRed, ...workers] = await Promise.all([
      NodeRed.start('node-red', flows(redis)),
      ...ports.map((port) => startWorker(redis, port)),
    ]);
    prometheus = await Prometheus.start({
      m2fp: [new URL(nodeRed.url).host],
      'm2fp-workers': ports.map((port) => `127.0.0.1:${port}`),
    });
    traffic = keepBusy();
  });
  after(async () => {
    rest.abort();
    await traffic.catch(() => {});
    await prometheus?.stop();
    await nodeRed?.stop();
    for (const worker of workers) {
      if (worker.exitCode !== null || worker.signalCode !== null) continue;
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    }
    await redis?.stop();
  });

  it('has every target up', async () => {
    const targets = await prometheus.until(
      () => prometheus.targets(),
      (found) => found.length === 3 && found.every(({ health }) => health === 'up'),
    );
    assert.deepEqual(
      targets.map(({ labels, health, lastError }) => `${labels['job']} ${health} ${lastError}`).toSorted(),
      ['m2fp up ', 'm2fp-workers up ', 'm2fp-workers up '],
    );
  });

  it('gets names, types and units that promtool has nothing to say about', async () => {
    for (const url of [nodeRed.url, ...ports.map((port) => `http://127.0.0.1:${port}`)]) {
      const input = await (await fetch(`${url}/metrics`)).text();
      const program = requireProgram('promtool', 'prometheus');
      const { status, stdout, stderr } = spawnSync(program, ['check', 'metrics'], {
        input,
        encoding: 'utf8',
      });
      assert.deepEqual([status, stdout, stderr], [0, '', '']);
    }
  });

  it('finds something for each query of the dashboard', async () => {
    const queries = dashboardQueries();
    assert.ok(queries.length > 40);
    for (const { panel, query } of queries) {
      const found = await prometheus.until(
        () => prometheus.query(query),
        (samples) => samples.some(({ value }) => Number.isFinite(value)),
      );
      assert.ok(
        found.some(({ value }) => Number.isFinite(value)),
        `${panel}: ${query}`,
      );
    }
  });

  it('finds what each alarm looks for, and reckons with it', async () => {
    const rules = await prometheus.until(
      () => prometheus.rules(),
      (found) => found.every(({ health }) => health === 'ok'),
    );
    assert.equal(rules.length, 16);
    for (const { name, health, lastError, query } of rules) {
      assert.deepEqual([health, lastError ?? ''], ['ok', ''], name);
      const selectors = selectorsOf(query);
      assert.ok(selectors.length > 0, query);
      for (const selector of selectors) {
        const found = await prometheus.until(
          () => prometheus.query(selector),
          (samples) => samples.length > 0,
        );
        assert.ok(found.length > 0, `${name}: ${selector}`);
      }
    }
  });

  it('counts what became of the pictures by node, camera, reason and code', async () => {
    const share = async (selector: string): Promise<number> =>
      (await prometheus.query(`sum(${selector})`))[0]?.value ?? 0;
    const success = 'm2fp_inference_request_success_total';
    assert.ok((await share(`${success}{job="m2fp", node="remote", camera="gate"}`)) > 0);
    assert.ok(
      (await share(
        'm2fp_inference_request_dropped_total{node="cameras", camera="yard", reason="replaced"}',
      )) > 0,
    );
    assert.ok(
      (await share('m2fp_inference_request_failure_total{node="strict", camera="hall", code="M2FP_BUSY"}')) >
        0,
    );
    assert.ok(
      (await share('m2fp_inference_request_failure_total{node="remote", camera="gate", model=""}')) > 0,
    );
    assert.ok(
      (await share('m2fp_inference_request_failure_total{node="cameras", code="M2FP_ENGINE_CRASHED"}')) > 0,
    );
    const jobs = 'm2fp_jobs_ended_total{node="jobs", outcome="done"} > 0';
    assert.equal(
      (
        await prometheus.until(
          () => prometheus.query(jobs),
          ({ length }) => length > 0,
        )
      ).length,
      1,
    );
    assert.ok((await share('m2fp_jobs_accepted_total{node="jobs"}')) > 0);
    assert.ok((await share('m2fp_engine_restarts_total{job="m2fp", reason="crash"}')) > 0);
    assert.equal(await share('m2fp_workers{job="m2fp"}'), 2);
    // What Node-RED handed over and what the workers did is the same, but for what is on its way.
    const [here, there] = [
      await share(`${success}{job="m2fp", node=~"remote|jobs-infer"}`),
      await share(`${success}{job="m2fp-workers"}`),
    ];
    assert.ok(Math.abs(here - there) <= 4, `${here} and ${there}`);
  });

  it('sees that a worker is gone, from both sides', async () => {
    workers[0]!.kill('SIGKILL');
    const seen = await prometheus.until(
      async () => [
        await prometheus.query('up{job="m2fp-workers"} == 0'),
        await prometheus.query('m2fp_workers{job="m2fp"} == 1'),
      ],
      (found) => found.every(({ length }) => length === 1),
    );
    assert.deepEqual(
      seen.map(({ length }) => length),
      [1, 1],
    );
    const pending = await prometheus.until(
      () => prometheus.rules(),
      (rules) => rules.some(({ name, alerts }) => name === 'M2fpDown' && alerts.length === 1),
    );
    for (const { alerts } of pending) {
      for (const { annotations } of alerts)
        assert.doesNotMatch(annotations['summary']!, /error expanding|no value/);
    }
    assert.ok(pending.some(({ name, alerts }) => name === 'M2fpDown' && alerts.length === 1));
  });
});
