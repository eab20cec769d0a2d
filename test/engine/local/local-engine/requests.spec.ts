/** What an engine does with the pictures that it is asked for. */
import assert from 'node:assert/strict';
import { dropReasonOf } from '../../../../src/engine/queue/dropped.ts';
import type { NetworkInput } from '../../../../src/image/types.ts';
import { MANIFEST, ask, facts, fails, until } from '../../support/fakes.ts';
import { found, networkInput, TIMING } from '../../support/found.ts';
import { localEngineUnderTest, release } from '../../support/local-engine.ts';

describe('LocalEngine', () => {
  const make = localEngineUnderTest();

  describe('a request', () => {
    it('gives a parsing around what the child found', async () => {
      const { engine, clock } = make();
      const image = Buffer.from('fine');
      const promise = engine.parse({ image });
      clock.advance(250);
      const { labels, ...parsing } = await promise;
      assert.equal(parsing.image, image, 'the very Buffer of the caller');
      assert.equal(labels[2], 'fine');
      assert.ok(Buffer.isBuffer(parsing.labelMap) && Buffer.isBuffer(parsing.personMap));
      assert.deepEqual(parsing, {
        ...found(),
        image,
        model: { id: 'test/model', digest: MANIFEST.digest, precision: 'fp32', provider: 'fake' },
        cached: false,
        timing: { ...TIMING, queue: 250, total: 250 },
      });
    });

    it('counts its time in the line as queue and all of it as total', async () => {
      const { engine, clock } = make();
      await engine.load();
      const first = ask(engine, 'hold');
      clock.advance(10);
      const second = ask(engine, 'hold');
      clock.advance(20);
      release(engine);
      assert.deepEqual((await first).timing.total, 30);
      clock.advance(40);
      release(engine);
      const { queue, total } = (await second).timing;
      assert.deepEqual({ queue, total }, { queue: 20, total: 60 });
    });

    it('sends network input without the source picture and without what hangs on it', async () => {
      const { engine } = make();
      const input: NetworkInput & { extra: () => void } = { ...networkInput(), extra() {} };
      const parsing = await engine.parse({ image: input });
      assert.equal(parsing.image, input.source.image);
      const sent = JSON.parse(facts(parsing).text) as NetworkInput;
      assert.deepEqual(sent, {
        type: 'm2fp-input',
        width: 2,
        height: 1,
        data: { type: 'Buffer', data: [1, 2, 3, 4, 5, 6] },
        crop: input.crop,
        rule: input.rule,
        source: { image: { type: 'Buffer', data: [] }, width: 20, height: 10 },
      });
    });

    it('is refused before it costs anything where it cannot succeed', async () => {
      const { engine } = make();
      const image = Buffer.from('fine');
      await fails(engine.parse({ image: 'text' as unknown as Buffer }), 'M2FP_NO_IMAGE');
      await fails(engine.parse({ image: undefined as unknown as Buffer }), 'M2FP_NO_IMAGE');
      await fails(engine.parse({ image: { type: 'm2fp-input' } as NetworkInput }), 'M2FP_BAD_IMAGE');
      await fails(engine.parse({ image: Buffer.alloc(33 * 2 ** 20) }), 'M2FP_IMAGE_TOO_LARGE');
      await fails(engine.parse({ image, options: { shortSide: 1.5 } }), 'M2FP_BAD_OPTION', /shortSide/);
      await fails(
        engine.parse({ image, options: { shortSide: 4097 } }),
        'M2FP_BAD_OPTION',
        /shortSide.*4096/,
      );
      await fails(
        engine.parse({ image, options: { scoreThreshold: 2 } }),
        'M2FP_BAD_OPTION',
        /scoreThreshold/,
      );
      assert.equal(engine.info().state, 'idle');
      assert.equal(engine.info().pid, null);
    });

    it('fails alone where the child reports an error', async () => {
      const { engine } = make();
      await engine.load();
      const bad = ask(engine, 'fail M2FP_BAD_IMAGE');
      const good = ask(engine, 'fine');
      await fails(bad, 'M2FP_BAD_IMAGE', /the child says no/);
      assert.equal(facts(await good).count, 2);
      assert.equal(engine.info().restarts, 0);
    });
  });

  describe('the line', () => {
    it('goes one by one, in order, through one process', async () => {
      const { engine } = make();
      const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => ask(engine, text)));
      assert.deepEqual(
        answers.map((parsing) => facts(parsing).text),
        ['a', 'b', 'c', 'd'],
      );
      assert.deepEqual(
        answers.map((parsing) => facts(parsing).count),
        [1, 2, 3, 4],
      );
      assert.equal(new Set(answers.map((parsing) => facts(parsing).pid)).size, 1);
    });

    it('refuses the one beyond the limit, which it names', async () => {
      const { engine } = make({ maxQueue: 2 });
      await engine.load();
      const running = ask(engine, 'hold');
      const waiting = [ask(engine, 'a'), ask(engine, 'b')];
      await fails(ask(engine, 'c'), 'M2FP_BUSY', /limit of 2 /);
      assert.equal(engine.info().waiting, 2);
      release(engine);
      await Promise.all([running, ...waiting]);
      await ask(engine, 'd');
    });

    it('lets a client wait for the running picture and one more, while two cameras send', async () => {
      const { engine } = make();
      await engine.load();
      const ended: string[] = [];
      const send = (lane: string, text: string) =>
        ask(engine, text, undefined, lane === 'client' ? { lane } : { lane, policy: 'latest' }).then(
          () => ended.push(lane),
          (error: unknown) => assert.equal(dropReasonOf(error), 'replaced'),
        );
      const all = [send('a', 'hold'), send('b', 'fine')];
      for (let frame = 0; frame < 5; frame++) all.push(send('a', `a${frame}`), send('b', `b${frame}`));
      all.push(send('client', 'fine'));
      release(engine);
      await Promise.all(all);
      assert.deepEqual(ended, ['a', 'b', 'client', 'a']);
    });

    it('of no length still takes one for a free process', async () => {
      const { engine } = make({ maxQueue: 0 });
      const first = ask(engine, 'hold');
      await fails(ask(engine, 'b'), 'M2FP_BUSY');
      await until(engine, ({ state }) => state === 'running');
      await fails(ask(engine, 'b'), 'M2FP_BUSY');
      release(engine);
      await first;
      await ask(engine, 'b');
    });
  });
});
