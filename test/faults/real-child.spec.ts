/** The nodes with the real child process and the bundled model: what no fake can show. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineInfo } from '../../src/engine/types.ts';
import { type LoadEvent, loadEvents } from '../../src/engine/events.ts';
import { shutdownEngines } from '../../src/engine/index.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { gone, leavesNothingBehind } from '../engine/support/fakes.ts';
import { nodeConfig } from '../nodes/support/flows.ts';
import { deploy, send, startFlow, stopFlow } from '../nodes/support/red.ts';
import { twoPeople } from '../support/images.ts';
import { modelNode, settled } from './support/fake-children.ts';

/** Takes long enough to be met in the middle of its run. */
const ENLARGED = { payload: twoPeople, m2fp: { shortSide: 1024, longSide: 1024 } };
/** Takes as little time as a picture can. */
const REDUCED = { payload: twoPeople, m2fp: { shortSide: 64, longSide: 64 } };

describe('with the real child', function () {
  this.timeout(60_000);
  const model = nodeConfig('m2fp-model', 'model', { threads: 1 });
  const infer = nodeConfig('m2fp-infer', 'node', { model: 'model' });
  const info = async (): Promise<EngineInfo> => (await modelNode().engine()).info();

  afterEach(async () => {
    await stopFlow();
    await shutdownEngines();
  });
  leavesNothingBehind();

  it('kill -9 in the middle of a run ends the message with the reason, and the next one is parsed', async () => {
    const events = await startFlow([model, infer]);
    await (await modelNode().engine()).load();
    send({ ...ENLARGED });
    await settled(async () => (await info()).running === 1);
    process.kill((await info()).pid!, 'SIGKILL');
    send({ ...REDUCED });
    await events.ended(2);
    assert.equal(events.caught[0]!.error.code, 'M2FP_ENGINE_CRASHED');
    assert.match(events.caught[0]!.error.message, /SIGKILL/);
    assert.equal(events.sent.length, 1);
  });

  it('a damaged model file is named, and parsed again once it is whole', async () => {
    const root = await mkdtemp(join(tmpdir(), 'm2fp-damaged-'));
    try {
      await cp(bundledModelFolder(), root, { recursive: true });
      const file = join(root, 'model.onnx');
      const whole = await readFile(file);
      await writeFile(file, Buffer.alloc(whole.length, 0xff));
      const events = await startFlow([{ ...model, source: 'folder', folder: root }, infer]);
      send({ ...REDUCED });
      await events.ended();
      const [{ error, statusCode }] = events.caught as [(typeof events.caught)[0]];
      assert.deepEqual([error.code, statusCode], ['M2FP_MODEL_INVALID', 503]);
      assert.match(error.message, /model\.onnx/);
      await writeFile(file, whole);
      send({ ...REDUCED });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it('ten full deploys load the model once, in one process whose memory stays flat', async () => {
    const loads: LoadEvent[] = [];
    const unsubscribe = loadEvents.subscribe((event) => loads.push(event));
    try {
      let events = await startFlow([model, infer]);
      const resident: number[] = [];
      const pids = new Set<number | null>();
      for (let count = 0; count <= 10; count++) {
        if (count > 0) events = await deploy([model, infer]);
        send({ ...REDUCED });
        await events.ended();
        assert.deepEqual(events.caught, []);
        const { pid } = await info();
        pids.add(pid);
        resident.push(residentMiB(pid!));
      }
      assert.equal(loads.length, 1);
      assert.equal(pids.size, 1);
      // The first pictures fill the pools that the later ones use.
      const growth = resident.at(-1)! - resident[2]!;
      assert.ok(growth < 32, `resident MiB: ${resident.join()}`);
      const [pid] = pids;
      await stopFlow();
      await shutdownEngines();
      await gone(pid!);
    } finally {
      unsubscribe();
    }
  });

  it('other options swap in a new engine that has loaded, while the old one finishes', async () => {
    let events = await startFlow([model, infer]);
    send({ ...REDUCED });
    await events.ended();
    const old = (await info()).pid!;
    events = await deploy([{ ...model, threads: 2 }, infer]);
    send({ ...REDUCED });
    await events.ended();
    assert.deepEqual(events.caught, []);
    await gone(old);
    assert.equal((await info()).threads, 2);
  });
});

function residentMiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
