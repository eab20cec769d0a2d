import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import type { NodeMessage } from 'node-red';
import sharp from 'sharp';
import { services } from '../../../nodes/common/services.ts';
import type { M2fpError } from '../../../src/errors.ts';
import { checkNetworkInput, preprocess } from '../../../src/image/index.ts';
import type { NetworkInput } from '../../../src/image/types.ts';
import { fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, send, startFlow, stopFlow } from '../support/red.ts';

const boom = (): never => {
  throw new Error('boom');
};
const arrayWithGetter = (): unknown[] => Object.defineProperty([1, 2, 3], 1, { get: boom, enumerable: true });
const unreadableKind = Object.defineProperty({}, Symbol.toStringTag, { get: boom, enumerable: true });
const { proxy: revoked, revoke } = Proxy.revocable(() => {}, {});
revoke();

describe('m2fp-preprocess', () => {
  let acquired: object[];
  let image: Buffer;

  const start = (properties = {}, modelProperties = {}): Promise<Events> =>
    startFlow([
      nodeConfig('m2fp-model', 'model', modelProperties),
      nodeConfig('m2fp-preprocess', 'node', { model: 'model', ...properties }),
    ]);
  const made = async (events: Events, msg: NodeMessage): Promise<NetworkInput> => {
    send(msg);
    await events.ended();
    assert.deepEqual(events.caught, []);
    return events.sent[0]!.payload as NetworkInput;
  };

  before(async () => {
    image = await sharp({ create: { width: 40, height: 20, channels: 3, background: 'teal' } })
      .jpeg()
      .toBuffer();
  });
  beforeEach(() => {
    ({ acquired } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  it('makes the input that the model takes, and starts no engine', async () => {
    const events = await start();
    const copy = Buffer.from(image);
    const input = await made(events, { payload: image, topic: 'x' });
    assert.deepEqual(input, (await preprocess(image, MANIFEST.input)).input);
    assert.equal(checkNetworkInput(input, MANIFEST.input), input);
    assert.deepEqual([input.width, input.height], [64, 32]);
    assert.deepEqual(notPlain(events.sent[0]), []);
    assert.equal(events.sent[0]!.topic, 'x');
    assert.ok(image.equals(copy));
    assert.deepEqual(acquired, []);
    await events.until(() => events.statuses.length > 0 && events.completed.length === 1);
    assert.equal(events.statuses.at(-1)!.text, '64 × 32');
  });

  it('goes to both of two wires', async () => {
    const events = await start();
    send({ payload: image });
    await events.until(() => events.sent.length + events.sentOnSecondWire.length === 2);
    assert.deepEqual(events.sentOnSecondWire[0]!.payload, events.sent[0]!.payload);
  });

  it('takes an upload where the payload has no picture', async () => {
    const events = await start();
    const input = await made(events, { payload: { name: 'me' }, req: { files: [{ buffer: image }] } });
    assert.ok(input.source.image.equals(image));
  });

  it('takes the sizes of the model, and those of the message over them', async () => {
    const events = await start({}, { shortSide: 48, longSide: '96' });
    send({ payload: image });
    send({ payload: image, m2fp: { shortSide: 16 } });
    await events.ended(2);
    assert.deepEqual(
      events.sent.map(({ payload }) => (payload as NetworkInput).rule),
      [
        { kind: 'short-side', shortSide: 48, longSide: 96 },
        { kind: 'short-side', shortSide: 16, longSide: 96 },
      ],
    );
  });

  it('takes what JSON and function nodes make of a picture', async () => {
    const events = await start();
    const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes: [...image] }) as object;
    for (const payload of [[...image], { image: [...image] }, foreign, Object.assign({}, [...image])])
      send({ payload });
    await events.ended(4);
    assert.deepEqual(events.caught, []);
    for (const { payload } of events.sent) {
      assert.ok((payload as NetworkInput).source.image.equals(image));
    }
    assert.deepEqual(notPlain(events.sent[2]), []);
  });

  it('keeps to the limits of the model, and names the field that raises them', async () => {
    const { buffer } = Buffer.alloc(1200 * 1000 * 3);
    const large = sharp(Buffer.from(buffer), { raw: { width: 1200, height: 1000, channels: 3 } });
    const events = await start({}, { maxMegapixels: 1, maxImageSize: '1' });
    send({ payload: await large.clone().png().toBuffer() });
    send({ payload: await large.clone().png({ compressionLevel: 0 }).toBuffer() });
    await events.ended(2);
    const errors = events.caught.map(({ error }) => error as unknown as M2fpError);
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['M2FP_IMAGE_TOO_LARGE', 'M2FP_IMAGE_TOO_LARGE'],
    );
    assert.match(errors.map(({ message }) => message).join(), /Largest picture.*Largest file/);
    assert.deepEqual(
      events.caught.map(({ statusCode }) => statusCode),
      [413, 413],
    );
  });

  it('takes its own output again', async () => {
    const events = await start();
    const { input } = await preprocess(image, { kind: 'short-side', shortSide: 20, longSide: 40 });
    assert.equal((await made(events, { payload: input })).height, 32);
  });

  for (const [name, msg, code, statusCode] of [
    ['nothing', {}, 'M2FP_NO_IMAGE', 400],
    ['a broken picture', { payload: Buffer.from('ffd8ffe000104a464946', 'hex') }, 'M2FP_BAD_IMAGE', 400],
    ['a Promise that never ends', { payload: new Promise(() => {}) }, 'M2FP_NO_IMAGE', 400],
    ['a Promise as image', { payload: { image: new Promise(() => {}) } }, 'M2FP_NO_IMAGE', 400],
    ['a Promise of options', { payload: 'x', m2fp: new Promise(() => {}) }, 'M2FP_BAD_OPTION', 400],
    ['an array with a getter that throws', { payload: { image: arrayWithGetter() } }, 'M2FP_NO_IMAGE', 400],
    ['a kind that cannot be read', { payload: unreadableKind }, 'M2FP_NO_IMAGE', 400],
    ['a revoked Proxy of a function', { payload: revoked }, 'M2FP_NO_IMAGE', 400],
    ['a text', { payload: 'this is not a picture at all' }, 'M2FP_UNSUPPORTED_FORMAT', 415],
    ['a wrong option', { payload: 'x', m2fp: { shortSide: 'x' } }, 'M2FP_BAD_OPTION', 400],
  ] as const) {
    it(`ends ${name} in ${code}`, async () => {
      const events = await start();
      send({ ...msg });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, code);
      assert.equal(events.caught[0]!.statusCode, statusCode);
      assert.deepEqual(events.sent, []);
    });
  }

  it('without a model ends the message in an error', async () => {
    services.readManifest = () =>
      Promise.reject(Object.assign(new Error('gone'), { code: 'M2FP_MODEL_NOT_FOUND' }));
    const events = await start();
    send({ payload: image });
    await events.ended();
    assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
    assert.equal(events.caught[0]!.statusCode, 503);
  });
});
