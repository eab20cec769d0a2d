/** Every form in which public reports had a picture come, and every other thing that came in its place. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse as parseForm } from 'node:querystring';
import { runInNewContext } from 'node:vm';
import { M2fpError } from '../../src/errors.ts';
import { imageFrom, imageFromMessage } from '../../src/image/source/image-from-message.ts';
import { failure, noisePng } from './support.ts';
import { processorTime } from '../support/processor-time.ts';

/** What `await` waits for, for ever. */
const thenable = Object.fromEntries(['then'].map((name) => [name, () => {}]));

const IMAGE = readFileSync(new URL('fixtures/people.jpg', import.meta.url));
const base64 = IMAGE.toString('base64');
const hex = IMAGE.toString('hex');
const part = 'Content-Type: image/jpeg\r\nContent-Length: 26109\r\n\r\n';

const joined = (...pieces: (string | Buffer)[]): Buffer =>
  Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));

/** What a function node makes: an object of another realm, which is no instance of our classes. */
const foreign = (code: string): unknown => runInNewContext(code, { bytes: [...IMAGE] });

describe('imageFrom reads', () => {
  const forms: Record<string, unknown> = {
    'an array of bytes': [...IMAGE],
    'an array of bytes in "image"': { image: [...IMAGE] },
    'an array of such arrays': [[...IMAGE], [...IMAGE]],
    'an array of signed bytes, as Java makes them': [...new Int8Array(IMAGE)],
    'a Uint8Array that went through JSON': JSON.parse(JSON.stringify(new Uint8Array(IMAGE))),
    'a Uint8Array of another realm': foreign('Uint8Array.from(bytes)'),
    'an ArrayBuffer of another realm': foreign('Uint8Array.from(bytes).buffer'),
    'an array of another realm': foreign('[...bytes]'),
    'a view of another realm on part of its memory': foreign(
      'const all = Uint8Array.from([1, 2, 3, ...bytes, 4, 5]); new Uint8Array(all.buffer, 3, bytes.length)',
    ),
    'a DataView of another realm on part of its memory': foreign(
      'const all = Uint8Array.from([1, 2, 3, ...bytes, 4, 5]); new DataView(all.buffer, 3, bytes.length)',
    ),
    'an upload of another realm': foreign('({ buffer: Uint8Array.from(bytes), mimetype: "image/jpeg" })'),
    'a Uint8ClampedArray': new Uint8ClampedArray(IMAGE),
    'base64 of which a form made blanks': base64.replaceAll('+', ' '),
    'a data URL of which a form made blanks': `data:image/jpeg;base64,${base64.replaceAll('+', ' ')}`,
    'base64 in lines that blanks join': base64.replace(/.{76}/g, '$& '),
    'base64 in indented lines': base64.replace(/.{76}/g, '$&\r\n  '),
    'base64 that was escaped for a form': encodeURIComponent(base64),
    'a data URL with a charset, escaped': `data:image/jpeg;charset=utf-8;base64,${encodeURIComponent(base64)}`,
    'the one field of a form, raw': `image=${base64}`,
    'the one field of a form, escaped, in a Buffer': Buffer.from(
      `image=${encodeURIComponent(`data:image/jpeg;base64,${base64}`)}`,
    ),
    'the fields of a form whose text was not escaped': { ...parseForm(`image=${base64}`) },
    'base64 that was sent without its type, so that it became the name of a field': { ...parseForm(base64) },
    hex,
    'hex with blanks': hex.replace(/../g, '$& '),
    'hex as databases print it': `\\x${hex}`,
    'hex in a Buffer': Buffer.from(`0x${hex.toUpperCase()}`),
    'a binary string': IMAGE.toString('latin1'),
    'a binary string that was made a Buffer as if it were text': Buffer.from(IMAGE.toString('latin1')),
    'a picture behind a line break': joined('\r\n', IMAGE),
    'one part of an MJPEG stream with its headers': joined(part, IMAGE),
    'one part of an MJPEG stream with its boundary': joined('\r\n--frame\r\n', part, IMAGE),
    'one part of an MJPEG stream and what follows it': joined('--frame\r\n', part, IMAGE, '\r\n--frame\r\n', part),
    'a whole HTTP answer': joined('HTTP/1.1 200 OK\r\nServer: x\r\n', part, IMAGE),
    'a whole HTTP answer with a stream': joined(
      'HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n--f\r\n',
      part,
      IMAGE,
    ),
  }; // prettier-ignore
  for (const [name, form] of Object.entries(forms)) {
    it(name, () => {
      const image = imageFrom(form);
      assert.ok(image.subarray(0, IMAGE.length).equals(IMAGE));
    });
  }

  it('shared memory, of which it takes a view', () => {
    const memory = new SharedArrayBuffer(IMAGE.length);
    new Uint8Array(memory).set(IMAGE);
    assert.ok(imageFrom(memory).equals(IMAGE));
  });

  describe('behind a byte order mark', () => {
    const png = noisePng(6, 5);
    const mark = Buffer.from('efbbbf', 'hex');
    const text64 = png.toString('base64');
    const cases: [string, unknown][] = [
      ['a PNG', joined(mark, png)],
      ['base64', `\ufeff${text64}`],
      ['base64, as bytes', joined(mark, text64)],
      ['base64 whose mark became three characters', `${mark.toString('latin1')}${text64}`],
      ['a data URL', `\ufeffdata:image/png;base64,${text64}`],
      ['a text of JSON', joined(mark, JSON.stringify(text64))],
      ['hex', `\ufeff${png.toString('hex')}`],
    ];
    for (const [name, value] of cases) it(name, () => assert.ok(imageFrom(value).equals(png)));

    it('and no picture among millions of them', () => {
      const marks = Buffer.alloc(3_000_000, mark);
      assert.throws(() => imageFrom(marks), { code: 'M2FP_UNSUPPORTED_FORMAT' });
      assert.throws(() => imageFrom(marks.toString()), { code: 'M2FP_NO_IMAGE' });
    });
  });
});

describe('imageFrom names, with what to do,', () => {
  const cases: [string, unknown, RegExp][] = [
    ['a video stream', 'rtsp://user:word@192.168.1.9/stream1', /the address of a video stream.*snapshot/],
    ['the address of a file', 'file:///tmp/a.jpg', /the address of a file.*read file/],
    ['another address', 'ftp://nas/a.jpg', /an address; fetch/],
    ['the text of a Buffer', '<Buffer ff d8 ff e0 00 10 ... 26059 more bytes>', /the printed form of a Buffer/],
    ['the text of an object', '[object Object]', /pass the object/],
    ['the text of a list of bytes', String(new Uint8Array(IMAGE)), /a list of numbers as text/],
    ['an HTTP answer that is an error', joined('HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n', IMAGE), /status 404/],
    ['an HTTP answer in pieces', joined('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65fd\r\n', IMAGE), /chunked/],
    ['a picture that was taken for a form', { ...parseForm(IMAGE.toString('utf8')) }, /as a form.*Content-Type: image\/jpeg.*curl/],
    ['a picture that was taken for text', IMAGE.toString('utf8'), /a binary buffer/],
  ]; // prettier-ignore
  for (const [name, value, pattern] of cases) {
    it(name, () => assert.throws(() => imageFrom(value), failure('M2FP_UNSUPPORTED_FORMAT', pattern)));
  }

  const none: [string, unknown, RegExp][] = [
    ['a Blob', new Blob([IMAGE]), /a Blob; pass Buffer\.from/],
    ['a Promise', Promise.resolve(IMAGE), /a Promise: await it in the function node/],
    ['an object that is waited for like a Promise', { image: thenable }, /a Promise: await it/],
    ['numbers that are larger than bytes', new Float64Array(new Uint8Array(IMAGE).slice(0, 800).buffer), /a Float64Array, whose numbers are no bytes/],
    ['a getter that throws', Object.defineProperty({}, 'image', { get: () => assert.fail('no') }), /cannot be read.*no/],
    ['a Proxy that was revoked', revoked(), /cannot be read/],
    ['numbered entries that are no bytes', { 0: 255, 1: 'a' }, /an object with numbered entries whose entry 1 is the text "a"/],
    ['numbered entries of which one is missing', { 0: 255, 1: 216, 2: 255, 4: 0 }, /numbered entries whose entry 3 is undefined/],
    ['numbered entries without numbers', { 0: 'a', 1: 'b' }, /numbered entries that are no bytes/],
    ['a Buffer in JSON with an entry over 255', { type: 'Buffer', data: [255, 216, 256] }, /a Buffer as JSON whose entry 2 is 256; a byte/],
    ['a Buffer in JSON with a text', { type: 'Buffer', data: ['a', 1] }, /a Buffer as JSON whose entry 0 is the text "a"/],
    ['an upload whose Buffer in JSON has a fraction', { buffer: { type: 'Buffer', data: [1, 0.5] } }, /entry 1 is 0\.5/],
    ['names that mean something to JavaScript', JSON.parse('{"__proto__":{"image":1},"constructor":2}'), /__proto__/],
  ]; // prettier-ignore
  for (const [name, value, pattern] of none) {
    it(name, () => assert.throws(() => imageFrom(value), failure('M2FP_NO_IMAGE', pattern)));
  }
});

describe('imageFromMessage', () => {
  it('asks for known names only, where there may be many', async () => {
    const value = { topic: 1, more: 2 };
    await assert.rejects(imageFromMessage(value), /with the properties topic, \.\.\.\./);
    await assert.rejects(imageFromMessage(value, undefined, true), /with the properties topic, more\./);
    await assert.rejects(
      imageFromMessage({ more: 2 }),
      /an object without a property in which pictures come/,
    );
  });

  it('finds a picture that became the name of a field, where there are few', async () => {
    const form = { ...parseForm(base64) };
    assert.ok((await imageFromMessage(form, undefined, true)).equals(IMAGE));
    await assert.rejects(imageFromMessage(form), failure('M2FP_NO_IMAGE', /an object/));
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('imageFrom takes no time for', () => {
  const million = <T>(make: (i: number) => T): T[] => Array.from({ length: 1_000_000 }, (_, i) => make(i));
  const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown;
  const cases: Record<string, unknown> = {
    'a million numbers that are no bytes': million((i) => i),
    'a million nothings': million(() => null),
    'a million objects': million(() => ({ a: 1 })),
    'a million words': million(() => 'hello, world'),
    'a thousand arrays of a thousand words': Array.from({ length: 1000 }, () => Array(1000).fill('hello')),
    'ten million blanks in a data URL': `data:image/png;base64,${'A '.repeat(10_000_000)}`,
    'a million numbers of a typed array': new Float64Array(1_000_000),
    'arrays in arrays': deep,
    'a hundred arrays in arrays': Array(100).fill(deep),
  };
  /** Milliseconds of the fastest of some tries: the machine may have other things to do. */
  const fastest = (work: () => void): number =>
    Math.min(
      ...[1, 2, 3, 4, 5, 6].map(() => {
        const busy = processorTime();
        work();
        return busy();
      }),
    );

  for (const [name, value] of Object.entries(cases)) {
    it(name, () => {
      // One error object for each of them took 20 s.
      const took = fastest(() => assert.throws(() => imageFrom(value)));
      assert.ok(took < 50, `${took} ms`);
    });
  }

  /** The most that is done between two turns of the event loop while the work goes on; of the best of some tries. */
  const heldBy = async (work: () => Promise<unknown>): Promise<number> => {
    const tries: number[] = [];
    for (let i = 0; i < 4; i++) {
      let [busy, held, isOver] = [processorTime(), 0, false];
      const look = (): void => {
        held = Math.max(held, busy());
        busy = processorTime();
        if (!isOver) setImmediate(look);
      };
      setImmediate(look);
      await turn();
      await work();
      isOver = true;
      await turn();
      tries.push(held);
    }
    return Math.min(...tries);
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  const numbered = (length: number): Record<number, number> => {
    const object: Record<number, number> = {};
    for (let i = 0; i < length; i++) object[i] = IMAGE[i] ?? 0;
    return object;
  };
  const named = (length: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length }, (_, i) => [`name${i}`, i]));
  /** With an array's first entry alone, which is made in no time. */
  const long = (length: number): number[] => Object.assign([1], { length });
  const most = { maxBytes: 2 ** 25, maxPixels: 1e6 };

  const sent: Record<string, () => unknown> = {
    'a million names': () => named(1e6),
    'four million numbered entries, the last of which is no byte': () => ({ ...numbered(4e6), 4000000: 'x' }),
    'a million names in an upload': () => ({ buffer: named(1e6) }),
    'numbered entries far apart': () =>
      Object.fromEntries(Array.from({ length: 5e5 }, (_, i) => [i * 4097, 1])),
    'more numbers than a picture may have bytes': () => long(2 ** 25 + 1),
    'a Buffer in JSON that is too long': () => ({ type: 'Buffer', data: long(2 ** 25 + 1) }),
  };
  for (const [name, make] of Object.entries(sent)) {
    it(`${name}, in a message`, async function () {
      this.timeout(60_000);
      const value = make();
      const held = await heldBy(() => assert.rejects(imageFromMessage(value, most), M2fpError));
      assert.ok(held < 50, `${held} ms`);
    });
  }

  it('thirty million numbers that are a picture, in a message', async function () {
    this.timeout(60_000);
    const numbers = Array(30e6).fill(0);
    for (let i = 0; i < IMAGE.length; i++) numbers[i] = IMAGE[i];
    const held = await heldBy(async () => assert.equal((await imageFromMessage(numbers, most)).length, 30e6));
    assert.ok(held < 50, `${held} ms`);
  });

  it('a million numbered entries that are a picture, in a message', async () => {
    const object = numbered(1e6);
    const held = await heldBy(async () => assert.equal((await imageFromMessage(object, most)).length, 1e6));
    assert.ok(held < 50, `${held} ms`);
  });

  it('a picture of 1.3 million numbers', () => {
    const numbers = Array.from(Buffer.concat([IMAGE, Buffer.alloc(1_300_000 - IMAGE.length)]));
    const took = fastest(() => assert.equal(imageFrom(numbers).length, 1_300_000));
    assert.ok(took < 50, `${took} ms`);
  });
});
