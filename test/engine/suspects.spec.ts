import assert from 'node:assert/strict';
import { Suspects } from '../../src/engine/suspects.ts';
import type { NetworkInput } from '../../src/image/types.ts';

const picture = (text: string, options = {}) => ({ image: Buffer.from(text), options });

describe('Suspects', () => {
  let suspects: Suspects;
  const refuses = (suspect: Parameters<Suspects['check']>[0]) =>
    assert.throws(
      () => suspects.check(suspect),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'M2FP_BAD_IMAGE');
        assert.match(error.message, /crashed the engine twice/);
        return true;
      },
    );

  beforeEach(() => {
    suspects = new Suspects();
  });

  it('refuses a picture with its second crash, and no other', () => {
    suspects.blame(picture('bad'));
    suspects.check(picture('bad'));
    suspects.blame(picture('bad'));
    refuses(picture('bad'));
    suspects.check(picture('bat'));
    suspects.check(picture('good'));
  });

  it('tells sizes apart: a smaller one may pass', () => {
    for (let i = 0; i < 2; i++) suspects.blame(picture('bad', { shortSide: 2000 }));
    refuses(picture('bad', { shortSide: 2000 }));
    suspects.check(picture('bad', { shortSide: 200 }));
  });

  it('knows network input by its pixels', () => {
    const input = (data: Buffer) => ({ image: { type: 'm2fp-input', data } as NetworkInput, options: {} });
    for (let i = 0; i < 2; i++) suspects.blame(input(Buffer.from([1, 2, 3])));
    refuses(input(Buffer.from([1, 2, 3])));
    suspects.check(input(Buffer.from([1, 2, 4])));
  });

  it('clears what has been parsed in between', () => {
    suspects.blame(picture('bad'));
    suspects.clear(picture('bad'));
    suspects.blame(picture('bad'));
    suspects.check(picture('bad'));
  });

  it('remembers the last hundred', () => {
    for (let i = 0; i < 101; i++) for (let crash = 0; crash < 2; crash++) suspects.blame(picture(`bad ${i}`));
    suspects.check(picture('bad 0'));
    refuses(picture('bad 1'));
    refuses(picture('bad 100'));
  });

  it('forgets all when told', () => {
    for (let i = 0; i < 2; i++) suspects.blame(picture('bad'));
    suspects.forget();
    suspects.check(picture('bad'));
  });
});
