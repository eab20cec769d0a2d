/** A real child process that is killed again and again: whose pictures suffer, and how it comes back. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { completeEngineOptions } from '../../../src/engine/options.ts';
import { residentBytes } from '../../../src/engine/local/process-memory.ts';
import type { RestartPolicy } from '../../../src/engine/local/restart-policy.ts';
import { healthOf } from '../../../src/observe/health.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { readManifest } from '../../../src/store/manifest.ts';
import { fails, leavesNothingBehind, until } from '../support/fakes.ts';

describe('an engine whose process is killed', function () {
  this.timeout(180_000);
  let engine: LocalEngine;

  async function open(maxMemory: number, policy: Partial<RestartPolicy>): Promise<void> {
    const model = bundledModelFolder();
    const options = completeEngineOptions({ model, maxMemory });
    engine = new LocalEngine(await readManifest(model), options, { policy });
    await engine.load();
  }

  let serial = 0;
  /** Another picture each time. */
  async function good(): Promise<Buffer> {
    const image = {
      width: 96,
      height: 64,
      channels: 3,
      background: `#0000${10 + (serial++ % 80)}`,
    } as const;
    return sharp({ create: image }).png().toBuffer();
  }

  afterEach(() => engine.close());
  leavesNothingBehind();

  it('for pictures that take too much memory refuses their kind with the third, and nobody else', async function () {
    if (residentBytes(process.pid) === null) this.skip();
    // The model alone takes 170 MiB, decoding the picture another 400; looked at often, as a fast machine is soon done.
    await open(250, { memoryPoll: 10 });
    const large = await sharp({ create: { width: 8000, height: 6000, channels: 3, background: '#357' } })
      .jpeg({ progressive: true })
      .toBuffer();
    for (let time = 0; time < 5; time++) {
      const image = Buffer.concat([large, Buffer.from(`behind it: ${time}`)]);
      const other = await good();
      const bad = engine.parse({ image });
      const innocent = engine.parse({ image: other });
      if (time < 2) await fails(bad, 'M2FP_ENGINE_CRASHED', /took \d+ MiB .*maxMemory at 250 MiB/);
      else await fails(bad, 'M2FP_BAD_IMAGE', time === 2 ? /crashed the engine twice/ : /^/);
      assert.equal((await innocent).width, 96);
    }
    const other = await sharp({ create: { width: 8000, height: 6000, channels: 3, background: '#753' } })
      .jpeg({ progressive: true })
      .toBuffer();
    await fails(engine.parse({ image: other }), 'M2FP_BAD_IMAGE', /8000 x 6000 pixels, progressive/);
  });

  it('five times in a row comes back by itself, and parses the next picture', async () => {
    await open(0, { firstDelay: 20, firstRest: 3000 });
    for (let time = 0; time < 5; time++) {
      const image = await good();
      const asked = engine.parse({ image });
      asked.catch(() => {});
      const { pid } = await until(engine, ({ state }) => state === 'running');
      process.kill(pid!, 'SIGKILL');
      await fails(asked, 'M2FP_ENGINE_CRASHED');
    }
    const { state, retryIn, failure } = engine.info();
    assert.equal(state, 'failed');
    assert.ok(retryIn! > 0 && retryIn! <= 3000, `${retryIn}`);
    assert.match(failure!.message, /crashed 5 times in a row.*tried again in \d s/s);
    assert.equal(healthOf({ engines: [engine.info()] }).ready, false);
    await fails(engine.parse({ image: await good() }), 'M2FP_ENGINE_CRASHED', /tried again in/);
    await until(engine, (info) => info.state === 'ready');
    assert.equal(healthOf({ engines: [engine.info()] }).ready, true);
    assert.equal((await engine.parse({ image: await good() })).width, 96);
  });
});
