/** A camera that breaks off again and again leaves nothing behind. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { Camera } from '../../src/camera/camera.ts';
import { MjpegSource } from '../../src/camera/http/mjpeg.ts';
import { SnapshotSource } from '../../src/camera/http/snapshot.ts';
import { CameraServer, sendParts } from './support/camera-server.ts';
import { noisyJpeg } from './support/jpegs.ts';

const ROUNDS = 50;

/** Numbers of open files and connections of this process (Linux). */
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a camera that breaks off fifty times', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [kind, Source] of [
    ['mjpeg', MjpegSource],
    ['snapshot', SnapshotSource],
  ] as const) {
    it(`leaves no connection open: ${kind}`, async () => {
      const server = await new CameraServer().start();
      const image = await noisyJpeg();
      let round = 0;
      const ended = Promise.withResolvers<void>();
      server.handler = async (_request, response) => {
        // By turns: in a picture, after one, without a word, and with a page.
        const fault = round++ % 4;
        if (round === ROUNDS) ended.resolve();
        if (fault === 3) response.end('<html>');
        else if (fault === 2) response.destroy();
        else if (kind === 'mjpeg') {
          await sendParts(response, [image]);
          if (fault === 1) response.write(image.subarray(0, 900), () => response.destroy());
          else response.destroy();
        } else response.write(image.subarray(0, 900), () => response.destroy());
      };
      const camera = new Camera({
        source: new Source({
          address: server.url('/'),
          credentials: {},
          limits: { timeout: 5000, maxBytes: 2 ** 20 },
        }),
        pace: 'flow',
        rate: undefined,
        deliver: async () => 0,
        // It waits for no more than some milliseconds before it connects again.
        clock: {
          now: () => performance.now(),
          after: (_ms, callback) => {
            const timer = setTimeout(callback, 1);
            return { cancel: () => clearTimeout(timer) };
          },
        },
        onState: () => {},
      });
      const before = descriptors();
      const listeners = process.listenerCount('exit');
      camera.start();
      await ended.promise;
      await camera.stop();
      await server.stop();
      // The server's own was one of them.
      assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`);
      assert.equal(process.listenerCount('exit'), listeners);
    });
  }
});
