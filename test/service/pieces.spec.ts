/** What comes of a body, in the memory that it takes until all of it is there. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PerTurn } from '../../src/service/body/per-turn.ts';
import { Pieces } from '../../src/service/body/pieces.ts';

/** Bytes of the block that small pieces are put together in. */
const BLOCK = 65_536;

const all = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 31) % 251));

/** In memory of its own, as a parser of HTTP gives it. */
function own(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

const CUTS: [what: string, sizes: number[], isOwn?: boolean][] = [
  ['one piece', [all.length]],
  ['large pieces', [65_536]],
  ['small pieces', [100]],
  ['single bytes between large pieces', [1, 4096]],
  ['pieces of many sizes', [1, 5000, 300, 70_000, 4095, 4096, 4097, 65_536, 2]],
  ['parts of larger memory', [5000, 80_000, 10], false],
];

describe('the pieces of a body', () => {
  for (const [what, sizes, isOwn = true] of CUTS) {
    for (const most of [all.length, 2 * all.length]) {
      it(`are what came, in little more memory, as ${what} of ${most} bytes at the most`, async () => {
        const pieces = new Pieces(most);
        for (let at = 0, n = 0; at < all.length; n++) {
          const piece = all.subarray(at, at + sizes[n % sizes.length]!);
          pieces.add(isOwn ? own(piece) : piece);
          at += piece.length;
          assert.equal(pieces.size, at);
          assert.ok(pieces.held >= at && pieces.held <= at + BLOCK, `${pieces.held} bytes for ${at}`);
        }
        const whole = await pieces.join(new PerTurn(100_000));
        assert.ok(whole.equals(all));
        // Nobody sees what lies beside it.
        assert.equal(whole.buffer.byteLength, all.length);
        assert.deepEqual([pieces.size, pieces.held], [0, 0]);
      });
    }
  }

  it('leave nothing of the large ones they are parts of', async () => {
    const pieces = new Pieces(BLOCK);
    pieces.add(all.subarray(10, 20));
    const whole = await pieces.join(new PerTurn(BLOCK));
    assert.ok(whole.equals(all.subarray(10, 20)));
    assert.notEqual(whole.buffer, all.buffer);
  });

  it('are joined some bytes in a turn of the event loop', async () => {
    const pieces = new Pieces(all.length);
    for (let at = 0; at < all.length; at += 50_000) pieces.add(own(all.subarray(at, at + 50_000)));
    const state = { isOver: false, turns: 0 };
    const joined = pieces.join(new PerTurn(100_000)).finally(() => (state.isOver = true));
    for (; !state.isOver; state.turns++) await nextTurn();
    assert.ok((await joined).equals(all));
    assert.ok(state.turns >= 4, `${state.turns} turns`);
  });

  it('may be none', async () => {
    assert.equal((await new Pieces(10).join(new PerTurn(10))).length, 0);
  });
});
