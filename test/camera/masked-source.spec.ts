/** No text of any source has the credentials in it. */
import assert from 'node:assert/strict';
import { CameraError, createSource } from '../../src/camera/index.ts';
import { withoutSecrets } from '../../src/camera/masked-source.ts';
import { M2fpError } from '../../src/errors.ts';

const CREDENTIALS = { user: 'plainuser', password: 'Geheim@S/e:c%99', token: 'tok en+1' };
const SECRETS = /plainuser|Geheim|c%(25)?99|tok.{1,3}en/;
const LIMITS = { timeout: 1000, maxBytes: 2 ** 20 };

describe('a source without secrets', () => {
  const address = 'rtsp://127.0.0.1:9/user={user}_password={password}_channel=1.sdp';
  const failing = (error: unknown) =>
    withoutSecrets({ address, credentials: CREDENTIALS }, () => ({
      isLive: true,
      isComplete: false,
      open: async function* () {
        yield Buffer.from('x');
        throw error;
      },
    }));
  const thrown = async (error: unknown, signal = new AbortController().signal): Promise<Error> => {
    const frames = failing(error).open(signal);
    await frames.next();
    return frames.next().then(
      () => assert.fail('it did not fail'),
      (reason: unknown) => reason as Error,
    );
  };

  it('masks every kind of error, its stack and its cause', async () => {
    const filled = `no rtsp://127.0.0.1:9/user=plainuser_password=${encodeURIComponent(CREDENTIALS.password)}_channel=1.sdp`;
    for (const [error, code] of [
      [new CameraError('login', filled), 'M2FP_CAMERA_OFFLINE'],
      [new M2fpError('M2FP_TIMEOUT', filled), 'M2FP_TIMEOUT'],
      [new Error(`spawn ${CREDENTIALS.password}`), 'M2FP_CAMERA_OFFLINE'],
      [new CameraError('login', 'no', { cause: new Error(filled) }), 'M2FP_CAMERA_OFFLINE'],
      [`text ${CREDENTIALS.token}`, 'M2FP_CAMERA_OFFLINE'],
    ] as const) {
      const masked = await thrown(error);
      assert.ok(masked instanceof M2fpError);
      assert.equal(masked.code, code);
      assert.doesNotMatch(`${masked.message} ${masked.stack} ${String(masked.cause)}`, SECRETS);
    }
    const plain = new CameraError('ended', 'It ended.');
    assert.equal(await thrown(plain), plain);
  });

  it('gives the reason of its signal as it is', async () => {
    const abort = new AbortController();
    const reason = new Error(`stopped ${CREDENTIALS.token}`);
    abort.abort(reason);
    assert.equal(await thrown(reason, abort.signal), reason);
  });

  for (const kind of ['snapshot', 'mjpeg', 'video'] as const) {
    it(`masks what is wrong with an address (${kind})`, async () => {
      for (const wrong of [
        `htp://${encodeURIComponent(CREDENTIALS.password)}:x@10.0.0.5/plainuser`,
        'htp://10.0.0.5/{user}/{password}/{token}',
        `htp://plainuser:${CREDENTIALS.password}@10.0.0.5/`,
      ]) {
        assert.throws(
          () =>
            createSource({
              kind,
              address: wrong,
              credentials: CREDENTIALS,
              limits: LIMITS,
              ffmpeg: '',
              rate: undefined,
              isPaced: false,
              isLooped: false,
            }),
          (error: M2fpError) => error.code === 'M2FP_BAD_OPTION' && !SECRETS.test(`${error.stack}`),
          wrong,
        );
      }
    });
  }
});
