/** Results that are kept for equal pictures to come. */
import assert from 'node:assert/strict';
import { fails } from '../support/fakes.ts';
import { sharingUnderTest } from '../support/sharing.ts';

describe('ResultSharing', () => {
  const subject = sharingUnderTest();
  const { computations, open, ask, fates } = subject;

  describe('with a cache', () => {
    beforeEach(() => open(1));

    it('answers later ones at once, each with a picture and a result of its own', async () => {
      const first = ask();
      computations[0]!.finish();
      await first;
      const image = Buffer.from('a');
      const [second, third] = await Promise.all([ask({ image }), ask()]);
      assert.equal(computations.length, 1);
      assert.equal(second.image, image);
      assert.equal(second.cached, true);
      assert.equal(second.timing.total, 0);
      assert.notEqual(second.parts, third.parts);
      assert.equal(subject.sharing.info()!.entries, 1);
    });

    it('keeps what was computed for one who has left, and nothing after it was cleared', async () => {
      const abort = new AbortController();
      const first = ask({ signal: abort.signal });
      const second = ask();
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      computations[0]!.finish();
      await second;
      assert.equal((await ask()).cached, true);
      subject.sharing.clear();
      const again = ask();
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      assert.equal((await again).cached, false);
    });

    it('does not answer with the result for other options', async () => {
      const first = ask();
      computations[0]!.finish();
      await first;
      const other = ask({ options: { scoreThreshold: 0.3 } });
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      await other;
    });

    it('keeps the order of large and small pictures, and shares the large ones', async () => {
      const large = (): Buffer => Buffer.alloc(9e6, 'L');
      const asked = [ask({ image: large() }), ask('small'), ask({ image: large() })];
      assert.equal(computations.length, 0, 'the large one is hashed first');
      while (computations.length < 2) await new Promise(setImmediate);
      assert.deepEqual(
        computations.map(({ text }) => text),
        ['L'.repeat(20), 'small'],
      );
      for (const computation of computations) computation.finish();
      const [, , third] = await Promise.all(asked);
      assert.equal(third!.cached, true);
      assert.equal(computations.length, 2);
      // What comes after all were hashed needs no turn.
      void ask('other').catch(() => {});
      assert.equal(computations.length, 3);
    });

    it('forgets a large picture whose asker leaves while it is hashed', async () => {
      const abort = new AbortController();
      const first = ask({ image: Buffer.alloc(9e6), signal: abort.signal });
      const second = ask('small');
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      while (computations.length < 1) await new Promise(setImmediate);
      assert.equal(computations[0]!.text, 'small');
      computations[0]!.finish();
      await second;
      assert.deepEqual(fates(), ['cancelled', 'completed']);
    });

    it('lets others have their turn after every MiB that it hashes', async () => {
      const asked = ask({ image: Buffer.alloc(32 * 2 ** 20) });
      let turns = 0;
      for (; computations.length < 1; turns++) await new Promise(setImmediate);
      assert.ok(turns >= 31, `${turns}`);
      computations[0]!.finish();
      await asked;
    });
  });

  it('takes over other options while pictures are in flight', async () => {
    const first = ask();
    subject.sharing.configure({ cacheSize: 1, maxQueue: 0 });
    const second = ask();
    assert.equal(computations.length, 2, 'no room to share');
    for (const computation of computations) computation.finish();
    await Promise.all([first, second]);
    assert.equal((await ask()).cached, true, 'the second one came when results were kept');
    assert.equal(subject.sharing.info()!.limit, 2 ** 20);
    subject.sharing.configure({ cacheSize: 2, maxQueue: 8 });
    assert.deepEqual([subject.sharing.info()!.limit, (await ask()).cached], [2 ** 21, true]);
    subject.sharing.configure({ cacheSize: 0, maxQueue: 8 });
    assert.equal(subject.sharing.info(), null);
    const last = ask();
    computations[2]!.finish();
    assert.equal((await last).cached, false);
  });
});
