import { EngineProcess } from '../../../src/engine/local/process.ts';
import { M2fpError } from '../../../src/errors.ts';
import { FAKE_CHILD, FakeClock, fails, leavesNothingBehind } from '../support/fakes.ts';
import assert from 'node:assert/strict';

describe('EngineProcess', () => {
  let crashes: M2fpError[];
  let child: EngineProcess;

  beforeEach(async () => {
    crashes = [];
    child = new EngineProcess({
      entry: FAKE_CHILD,
      clock: new FakeClock(),
      onCrash: (error) => crashes.push(error),
    });
    await child.load({ model: 'fine', digest: '', digests: [], threads: 1, warmUp: false });
  });

  afterEach(async () => {
    child.kill(new M2fpError('M2FP_CANCELLED', 'test over'));
    await child.ended;
  });

  leavesNothingBehind();

  it('stays usable after a request that cannot be serialised', async () => {
    const image = (() => {}) as unknown as Buffer;
    await fails(child.parse({ image, options: {} }), 'M2FP_BAD_IMAGE', /cannot be sent/);
    assert.equal(child.usable, true);
    const { parsing } = await child.parse({ image: Buffer.from('fine'), options: {} });
    assert.equal(parsing.labels[1], '1');
  });

  it('passes Buffers as Buffers, also a view into a larger one', async () => {
    const image = Buffer.from('--fine--').subarray(2, 6);
    const { parsing } = await child.parse({ image, options: {} });
    assert.equal(parsing.labels[2], 'fine');
    assert.ok(Buffer.isBuffer(parsing.labelMap));
    assert.deepEqual(parsing.labelMap, Buffer.from([0, 1, 2, 3, 4, 5]));
  });

  it('fails the running request with the reason it is killed for, which is no crash', async () => {
    const running = child.parse({ image: Buffer.from('spin'), options: {} });
    child.kill(new M2fpError('M2FP_TIMEOUT', 'too long'));
    await fails(running, 'M2FP_TIMEOUT', /too long/);
    await child.ended;
    assert.deepEqual(crashes, []);
    assert.equal(child.usable, false);
  });

  it('fails a request that comes after its end', async () => {
    await assert.rejects(child.parse({ image: Buffer.from('exit 2'), options: {} }));
    await child.ended;
    assert.equal(crashes.length, 1);
    await fails(child.parse({ image: Buffer.from('fine'), options: {} }), 'M2FP_ENGINE_CRASHED');
  });
});
