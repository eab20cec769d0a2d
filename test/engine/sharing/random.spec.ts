/** Any order of requests, departures and ends. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { M2fpError } from '../../../src/errors.ts';
import { type Computation, sharingUnderTest } from '../support/sharing.ts';

describe('ResultSharing', () => {
  const subject = sharingUnderTest();
  const { computations, events, open, ask, fates } = subject;

  it('ends every request once, and computes for nobody but those who wait, whatever happens', async () => {
    const command = fc.oneof(
      fc.record({
        do: fc.constant('ask' as const),
        text: fc.constantFrom('a', 'b'),
        policy: fc.constantFrom('wait' as const, 'latest' as const, 'reject' as const),
        limit: fc.integer({ min: 0, max: 3 }),
        priority: fc.integer({ min: 0, max: 1 }),
      }),
      fc.record({ do: fc.constant('leave' as const), at: fc.nat(30) }),
      fc.record({
        do: fc.constantFrom('finish' as const, 'fail' as const, 'drop' as const, 'busy' as const),
        at: fc.nat(30),
      }),
      fc.record({ do: fc.constant('clear' as const) }),
    );
    // Once found by chance: a newer picture of the same camera finds no room in the flight whose last one it replaces.
    const follow = { do: 'ask', text: 'b', policy: 'latest', priority: 0 } as const;
    const lastOneReplaced = [
      { ...follow, policy: 'wait' as const, limit: 0 },
      { ...follow, limit: 1 },
      { do: 'leave' as const, at: 0 },
      { ...follow, limit: 0 },
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), fc.boolean(), async (commands, kept) => {
        events.length = 0;
        computations.length = 0;
        open(kept ? 1 : 0, 3);
        const asked: { text: string; abort: AbortController; ends: string[] }[] = [];
        let finished = 0;
        const running = (): Computation[] => computations.filter(({ ended }) => !ended);
        for (const step of commands) {
          const chosen = 'at' in step ? running()[step.at % Math.max(1, running().length)] : undefined;
          if (step.do === 'ask') {
            const { text, policy, limit, priority } = step;
            const request = { text, abort: new AbortController(), ends: [] as string[] };
            asked.push(request);
            const image = Buffer.from(text);
            ask({ image, queue: { policy, limit, priority }, signal: request.abort.signal }).then(
              (parsing) => {
                // The picture that it brought itself.
                request.ends.push(parsing.image === image ? `cached ${parsing.cached}` : 'wrong picture');
                return undefined;
              },
              (error: { code?: string; dropped?: string }) => {
                request.ends.push(error.code ?? error.dropped ?? 'unknown');
              },
            );
          } else if (step.do === 'leave') asked[step.at % Math.max(1, asked.length)]?.abort.abort();
          else if (step.do === 'clear') subject.sharing.clear();
          else if (step.do === 'finish') {
            if (chosen) finished++;
            chosen?.finish();
          } else if (step.do === 'fail') chosen?.fail(new M2fpError('M2FP_TIMEOUT', 'slow'));
          else if (step.do === 'drop') chosen?.drop('expired');
          else chosen?.fail(new M2fpError('M2FP_BUSY', 'full'), 'rejected');
          await new Promise(setImmediate);

          const waiting = asked.filter(({ ends }) => ends.length === 0);
          for (const { text } of running()) assert.ok(waiting.some((request) => request.text === text));
          for (const { text } of waiting)
            assert.ok(running().some((computation) => computation.text === text));
          assert.ok(running().length <= waiting.length);
        }
        for (; running().length > 0; await new Promise(setImmediate)) {
          finished++;
          running()[0]!.finish();
        }
        for (const { ends } of asked) assert.equal(ends.length, 1, ends.join());
        const ends = asked.flatMap((request) => request.ends);
        assert.equal(events.length, ends.length, `${fates().join()} for ${ends.join()}`);
        for (const [fate, end] of [
          ['completed', 'cached false'],
          ['completed cached', 'cached true'],
          ['failed', 'M2FP_TIMEOUT'],
        ]) {
          const told = ends.filter((text) => text === end).length;
          assert.equal(fates().filter((text) => text === fate).length, told, fate);
        }
        assert.equal(ends.includes('wrong picture'), false);
        assert.equal(
          ends.filter((end) => end === 'cached false').length,
          finished,
          'each result counts once',
        );
        assert.ok((subject.sharing.info()?.bytes ?? 0) <= 2 ** 20);
      }),
      { numRuns: 300, examples: [[lastOneReplaced, false]] },
    );
  });
});
