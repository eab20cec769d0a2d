/** Messages that Node-RED cannot copy, or not in time: what a flow or a client can put into one. */
import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { STATUS_CODES } from '../../../src/errors.ts';
import { inferNode } from '../support/infer.ts';
import { type Events, send } from '../support/red.ts';

/** What `await` waits for, for ever. */
const thenable = Object.fromEntries(['then'].map((name) => [name, () => {}]));

const boom = (): never => {
  throw new Error('boom');
};
const withGetter = (name: string | symbol, other: object = {}): object =>
  Object.defineProperty({ ...other }, name, { get: boom, enumerable: true });
const EVERYTHING_THROWS = { get: boom, ownKeys: boom, has: boom, getPrototypeOf: boom };

function deepArray(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

function deepObject(depth: number): object {
  let value: object = {};
  for (let i = 0; i < depth; i++) value = { image: value };
  return value;
}

function detached(image: Buffer): Uint8Array {
  const view = new Uint8Array(image);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

function arrayWithGetter(): unknown[] {
  return Object.defineProperty([1, 2, 3], 1, { get: boom, enumerable: true });
}

function revoked(target: object = []): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

describe('m2fp-infer, of a message that cannot be copied', () => {
  const t = inferNode();
  const refused = async (events: Events, msg: object): Promise<Events['caught'][number]> => {
    const client = { req: { headers: {} }, res: { _res: {} } };
    for (const [name, value] of Object.entries(client))
      if (!(name in msg)) Object.assign(msg, { [name]: value });
    send(msg as NodeMessage);
    await events.until(() => events.done.length > 0);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.equal(events.caught.length, 1);
    assert.deepEqual(events.sent, []);
    return events.caught[0]!;
  };

  const CASES: Record<string, (image: Buffer) => object> = {
    'a payload whose getter throws': () => withGetter('payload'),
    'an image whose getter throws': () => ({ payload: withGetter('image') }),
    'a Proxy that throws': () => ({ payload: new Proxy({}, EVERYTHING_THROWS) }),
    'a Proxy that was revoked': () => ({ payload: revoked() }),
    'a Proxy of a Buffer': (image) => ({ payload: new Proxy(image, {}) }),
    'an array of endless length': () => ({
      payload: new Proxy([], { get: (_, key) => (key === 'length' ? Infinity : 1) }),
    }),
    'a Buffer that was given away': (image) => ({ payload: detached(image) }),
    'an array of 5000 levels': () => ({ payload: deepArray(5000) }),
    'an array of 100,000 levels': () => ({ payload: deepArray(100_000) }),
    'an object of 100,000 levels': () => ({ payload: deepObject(100_000) }),
    'depth beside the picture': () => ({ payload: 'x', other: deepArray(100_000) }),
    'options whose getter throws': (image) => withGetter('m2fp', { payload: image }),
    'a Proxy of options': (image) => ({ payload: image, m2fp: new Proxy({}, EVERYTHING_THROWS) }),
    'a key whose getter throws': (image) => ({ payload: image, m2fp: withGetter('key') }),
    'an array with an entry whose getter throws': () => ({ payload: arrayWithGetter() }),
    'such an array as the image': () => ({ payload: { image: arrayWithGetter() } }),
    'a Proxy of a function that was revoked': () => ({ payload: revoked(() => {}) }),
    'a kind whose getter throws': () => ({ payload: withGetter(Symbol.toStringTag) }),
    'a kind beside the picture whose getter throws': () => ({
      payload: 'x',
      other: [Object.create(withGetter(Symbol.toStringTag))],
    }),
    'a Promise that never ends': () => ({ payload: new Promise(() => {}) }),
    'a Promise as the image': () => ({ payload: { image: new Promise(() => {}) } }),
    'what is waited for like a Promise': () => ({ payload: thenable }),
    'a Buffer that is waited for': (image) => ({
      payload: Object.assign(Buffer.from(image), thenable),
    }),
    'a Promise of options': (image) => ({ payload: image, m2fp: new Promise(() => {}) }),
    'a Promise of a key': (image) => ({
      payload: image,
      m2fp: { policy: 'latest', key: new Promise(() => {}) },
    }),
    'uploads whose getter throws': () => ({ payload: '', req: withGetter('files') }),
  };
  for (const [name, make] of Object.entries(CASES)) {
    it(`tells Catch, with its request and a code: ${name}`, async () => {
      const events = await t.start();
      const msg = make(t.image) as NodeMessage;
      const { error, ...caught } = await refused(events, msg);
      assert.ok(error.code !== undefined && error.code in STATUS_CODES, error.message);
      assert.equal(caught.statusCode, STATUS_CODES[error.code as keyof typeof STATUS_CODES]);
      assert.ok(caught['req'] !== undefined && caught['res'] !== undefined);
      assert.deepEqual(new Set(Object.keys(caught)), new Set([...Object.keys(msg), '_msgid']));
    });
  }

  it('says in its place what was left out, and why; the rest stays', async () => {
    const events = await t.start();
    const caught = await refused(events, {
      payload: 'x',
      topic: 'a',
      odd: withGetter('b'),
      deep: deepArray(6000),
    });
    assert.equal(caught.payload, 'x');
    assert.equal(caught.topic, 'a');
    assert.match(
      String(caught['odd']),
      /^an object, left out of this message because Node-RED cannot copy it \(boom/,
    );
    assert.match(String(caught['deep']), /^an array of 1 array, left out of .* nested more than 500 deep$/);
  });

  it('takes a response whose getter throws for no client', async () => {
    const events = await t.start();
    send({ payload: t.image, res: withGetter('_res') });
    await events.ended();
    assert.deepEqual([events.sent.length, events.caught.length], [1, 0]);
  });

  it('sends on a message that is waited for like a Promise', async () => {
    const events = await t.start();
    send({ payload: t.image, ...thenable });
    await events.ended();
    assert.deepEqual([events.sent.length, events.caught.length], [1, 0]);
  });

  it('sends its result along all wires, without what cannot be copied', async () => {
    const events = await t.start();
    const [req, res] = [{}, {}];
    send({ payload: t.image, deep: deepArray(6000), odd: withGetter('a'), req, res });
    await events.until(() => events.sent.length + events.caught.length > 0 && events.completed.length > 0);
    assert.deepEqual([events.sent.length, events.sentOnSecondWire.length, events.caught.length], [1, 1, 0]);
    for (const msg of [...events.sent, ...events.sentOnSecondWire]) {
      assert.match(String(msg['deep']), /left out/);
      assert.match(String(msg['odd']), /left out/);
      assert.ok(msg['parsing']);
      assert.equal(msg['req'], req);
      assert.equal(msg['res'], res);
    }
  });

  describe('holds more values than are copied in time', () => {
    const MANY: Record<string, [value: unknown, text: RegExp]> = {
      objects: [
        Array.from({ length: 1_600_000 }, () => ({})),
        /^an array of 1,600,000 objects, left out of this/,
      ],
      arrays: [Array.from({ length: 900_000 }, () => [[]]), /^an array of 900,000 arrays, left out/],
      texts: [Array.from({ length: 1_200_000 }, () => 'a'), /^an array of 1,200,000 strings, left out/],
      'names in a large body': [
        Object.fromEntries(Array.from({ length: 450_000 }, (_, i) => [i, 'x'])),
        /^an object, left out/,
      ],
      'numbers of a typed array': [new Float64Array(1_000_000), /^a typed array, left out/],
      nested: [{ image: Array.from({ length: 20_000 }, () => ({})) }, /^an object, left out/],
    };
    for (const [name, [payload, text]] of Object.entries(MANY)) {
      it(`leaves them out, and holds nobody up: ${name}`, async () => {
        const events = await t.start();
        const started = performance.now();
        const req = { headers: name.endsWith('body') ? { 'content-length': '4839000' } : {} };
        const caught = await refused(events, { payload, req });
        const took = performance.now() - started;
        assert.match(String(caught.payload), text);
        assert.equal(caught.statusCode, 400);
        // Copying takes seconds.
        assert.ok(took < 500, `${took} ms`);
      });
    }

    it('keeps what is copied at once', async () => {
      const events = await t.start();
      const payload = Array.from({ length: 1000 }, (_, i) => ({ i }));
      assert.deepEqual((await refused(events, { payload })).payload, payload);
    });

    it('keeps a picture that is refused for another reason', async () => {
      const events = await t.start({ picture: 'payload' });
      const payload = Array.from({ length: 20_000 }, () => ({}));
      const caught = await refused(events, { payload, m2fp: { wrong: 1 } });
      assert.equal(caught.error.code, 'M2FP_BAD_OPTION');
      assert.equal((caught.payload as unknown[]).length, 20_000);
    });
  });
});
