import assert from 'node:assert/strict';
import { Quarantine } from '../../../src/engine/queue/quarantine.ts';
import { FakeClock } from '../support/fakes.ts';
import sharp from 'sharp';
import type { NetworkInput } from '../../../src/image/types.ts';

const request = (text: string, options = {}) => ({ image: Buffer.from(text), options });

describe('Quarantine', () => {
  let suspects: Quarantine;
  const refuses = (suspect: Parameters<Quarantine['check']>[0]) =>
    assert.throws(
      () => suspects.check(suspect),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'M2FP_BAD_IMAGE');
        assert.match(error.message, /crashed the engine twice/);
        return true;
      },
    );

  beforeEach(() => {
    suspects = new Quarantine();
  });

  it('refuses a picture with its second crash, and no other', () => {
    suspects.blame(request('bad'));
    suspects.check(request('bad'));
    suspects.blame(request('bad'));
    refuses(request('bad'));
    suspects.check(request('bat'));
    suspects.check(request('good'));
  });

  it('tells sizes apart: a smaller one may pass', () => {
    for (let i = 0; i < 2; i++) suspects.blame(request('bad', { shortSide: 2000 }));
    refuses(request('bad', { shortSide: 2000 }));
    suspects.check(request('bad', { shortSide: 200 }));
  });

  it('knows network input by its pixels', () => {
    const input = (data: Buffer) => ({ image: { type: 'm2fp-input', data } as NetworkInput, options: {} });
    for (let i = 0; i < 2; i++) suspects.blame(input(Buffer.from([1, 2, 3])));
    refuses(input(Buffer.from([1, 2, 3])));
    suspects.check(input(Buffer.from([1, 2, 4])));
  });

  it('clears what has been parsed in between', () => {
    suspects.blame(request('bad'));
    suspects.clear(request('bad'));
    suspects.blame(request('bad'));
    suspects.check(request('bad'));
  });

  it('remembers the last hundred', () => {
    for (let i = 0; i < 101; i++) for (let crash = 0; crash < 2; crash++) suspects.blame(request(`bad ${i}`));
    suspects.check(request('bad 0'));
    refuses(request('bad 1'));
    refuses(request('bad 100'));
  });

  it('gives one more chance after ten minutes, and no second one', () => {
    const clock = new FakeClock();
    suspects = new Quarantine(clock);
    for (let i = 0; i < 2; i++) suspects.blame(request('bad'));
    clock.advance(599_999);
    refuses(request('bad'));
    clock.advance(1);
    suspects.check(request('bad'));
    suspects.blame(request('bad'));
    refuses(request('bad'));
  });

  describe('of encoded pictures', () => {
    const encoded = (image: Buffer, behind = '') => ({
      image: Buffer.concat([image, Buffer.from(behind)]),
      options: {},
    });
    const draw = async (format: 'jpeg' | 'png' | 'webp', options = {}, width = 64): Promise<Buffer> =>
      sharp({ create: { width, height: 48, channels: 3, background: '#246' } })
        .toFormat(format, options)
        .toBuffer();
    /** Another picture of the same kind. */
    const another = (format: 'jpeg' | 'png', options = {}): Promise<Buffer> =>
      sharp({ create: { width: 64, height: 48, channels: 3, background: '#f93' } })
        .toFormat(format, options)
        .toBuffer();

    for (const [format, options] of [
      ['jpeg', {}],
      ['jpeg', { progressive: true }],
      ['png', {}],
      ['png', { progressive: true }],
    ] as const) {
      it(`knows a ${format} ${JSON.stringify(options)} whatever hangs behind it, and lets others of its size pass`, async () => {
        const bad = await draw(format, options);
        suspects.blame(encoded(bad, 'one'));
        suspects.blame(encoded(bad, 'another\xff\xd9 and more'));
        refuses(encoded(bad, 'a third'));
        refuses(encoded(bad));
        suspects.check(encoded(await another(format, options)));
      });

      it(`that took too much memory: knows others of the kind of ${format} ${JSON.stringify(options)}, and no more`, async () => {
        const progressive = !('progressive' in options);
        const third = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#fff' } })
          .toFormat(format, options)
          .toBuffer();
        suspects.blame(encoded(await draw(format, options), 'one'), true);
        suspects.check(encoded(await another(format, options)));
        suspects.blame(encoded(await another(format, options), 'two'), true);
        assert.throws(() => suspects.check(encoded(third)), {
          code: 'M2FP_BAD_IMAGE',
          message: /64 x 48 pixels.* twice taken more memory.*maxMemory/,
        });
        suspects.check(encoded(await draw(format, { progressive })));
        suspects.check(encoded(await draw(format, options, 63)));
        suspects.clear(encoded(await another(format, options)));
        suspects.check(encoded(third));
      });
    }

    it('goes by the header where the format has no plain one', async () => {
      const bad = await draw('webp');
      for (const behind of ['one', 'two']) suspects.blame(encoded(bad, behind), true);
      assert.throws(() => suspects.check(encoded(bad, 'three')), { code: 'M2FP_BAD_IMAGE' });
      suspects.check(encoded(await draw('webp', {}, 63)));
    });

    it('takes broken headers as they are', async () => {
      for (const format of ['jpeg', 'png'] as const) {
        const whole = await draw(format);
        for (let length = 0; length < whole.length; length += 7) {
          suspects.blame(encoded(whole.subarray(0, length)), true);
        }
        suspects.blame(encoded(Buffer.concat([whole.subarray(0, 20), Buffer.alloc(100, 0xff)])), true);
      }
    });
  });

  it('forgets all when told', () => {
    for (let i = 0; i < 2; i++) suspects.blame(request('bad'));
    suspects.forget();
    suspects.check(request('bad'));
  });
});
