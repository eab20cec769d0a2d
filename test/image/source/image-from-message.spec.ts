import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { mock } from 'node:test';
import sharp from 'sharp';
import { M2fpError } from '../../../src/errors.ts';
import { preprocess } from '../../../src/image/preprocess.ts';
import { imageFrom } from '../../../src/image/source/image-from-message.ts';
import { failure, JPEG, noisePng } from '../support.ts';

const PNG = noisePng(5, 4);
const base64 = JPEG.toString('base64');

/** What multer makes of a file field. */
const upload = (buffer: unknown, mimetype = 'image/jpeg') => ({
  fieldname: 'file',
  originalname: 'a.txt',
  mimetype,
  buffer,
  size: 1,
});

/** An ftyp box: the major brand, then the compatible ones. */
const box = (...brands: string[]): Buffer =>
  Buffer.concat([
    Buffer.from([0, 0, 0, 8 + 4 * (brands.length + 1)]),
    Buffer.from(`ftyp${brands[0]}\0\0\0\0${brands.slice(1).join('')}`),
  ]);

describe('imageFrom', () => {
  describe('takes', () => {
    it('a Buffer, the very same', () => {
      assert.equal(imageFrom(JPEG).buffer, JPEG.buffer);
      assert.deepEqual(imageFrom(JPEG), JPEG);
    });

    // Bytes 1 to n - 1 of a larger memory: what lies around them must not come along.
    const around = Buffer.concat([Buffer.from([1]), JPEG, Buffer.from([2])]);
    const view = new Uint8Array(around.buffer, around.byteOffset + 1, JPEG.length);
    const wrapped = base64.replace(/.{76}/g, '$&\r\n');

    const forms: Record<string, unknown> = {
      'a Uint8Array that is part of a larger memory': view,
      'an ArrayBuffer': Uint8Array.from(JPEG).buffer,
      'a base64 string': base64,
      'base64 in the quotes of JSON': JSON.stringify(base64),
      'a data URL in the quotes of JSON': Buffer.from(JSON.stringify(`data:image/jpeg;base64,${base64}`)),
      'base64 in lines': wrapped,
      'base64 without padding, with white space around': `\n ${base64.replace(/=+$/, '')} \n`,
      base64url: JPEG.toString('base64url'),
      'a data URL': `data:image/jpeg;base64,${base64}`,
      'a data URL in lines, with parameters and of another type': `DATA:text/plain;charset=utf-8;base64,\n${wrapped}`,
      'a data URL of base64url': `data:image/jpeg;base64,${JPEG.toString('base64url')}`,
      'base64 text in a Buffer': Buffer.from(base64),
      'a data URL in a Buffer': Buffer.from(`data:image/jpeg;base64,${base64}`),
      'an upload': upload(JPEG),
      'an upload of any declared type': upload(JPEG, 'application/octet-stream'),
      'an upload that went through JSON': JSON.parse(JSON.stringify(upload(JPEG))),
      'an array of uploads': [upload(JPEG), upload(PNG)],
      'an array of uploads, the first of which is no picture': [
        upload(Buffer.from('a,b\n1,2\n')),
        upload(JPEG),
      ],
      'an array with an empty field': [upload(Buffer.alloc(0)), upload(JPEG)],
      'an object with a Buffer in "image"': { image: JPEG, other: 1 },
      'an object with base64 in "image"': { image: base64 },
      'an object with an upload in "image"': { image: upload(JPEG) },
      'a Buffer that went through JSON': JSON.parse(JSON.stringify(JPEG)),
    };
    for (const [name, form] of Object.entries(forms)) {
      it(name, () => {
        const image = imageFrom(form);
        assert.ok(Buffer.isBuffer(image));
        assert.deepEqual(image, JPEG);
      });
    }

    it('a network input', async () => {
      const { input } = await preprocess(PNG, { kind: 'short-side', shortSide: 4, longSide: 9 });
      assert.equal(imageFrom(input).buffer, PNG.buffer);
      assert.deepEqual(imageFrom(JSON.parse(JSON.stringify(input))), PNG);
    });

    it('a BigTIFF', async () => {
      const pipeline = sharp({ create: { width: 8, height: 8, channels: 3, background: '#345' } });
      const big = await pipeline.clone().tiff({ bigtiff: true }).toBuffer();
      assert.deepEqual(imageFrom(big), big);
    });

    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
      it(`${format}, as bytes and as text`, async () => {
        const pipeline = sharp({ create: { width: 8, height: 8, channels: 3, background: '#345' } });
        const image = await pipeline.clone().toFormat(format).toBuffer();
        const text = image.toString('base64');
        for (const form of [image, text, Buffer.from(text)]) assert.deepEqual(imageFrom(form), image, format);
      });
    }
  });

  describe('finds no picture in', () => {
    const circle: { image?: unknown } = {};
    circle.image = circle;
    const cases: [string, unknown, RegExp][] = [
      ['undefined', undefined, /undefined/],
      ['null', null, /null/],
      ['a number', 5, /a number/],
      ['true', true, /a boolean/],
      ['an empty string', '', /an empty string/],
      ['white space', ' \n', /an empty string/],
      ['a data URL without data', 'data:image/png;base64,', /an empty string/],
      ['a Buffer of 0 bytes', Buffer.alloc(0), /0 bytes/],
      ['an empty array', [], /an empty array/],
      ['an array of numbers that are no bytes', [255, 216, 1000], /an array without a picture|a number/],
      ['an array of numbers with a fraction', [255, 216, 0.5], /a number/],
      ['an array with an entry over 255', [...JPEG.subarray(0, 9), 256, 1], /entry 9 is 256/],
      ['an array with NaN', [...JPEG.subarray(0, 9), NaN, 1], /entry 9 is NaN/],
      ['an array with a text', [...JPEG.subarray(0, 9), 'x', 1], /entry 9 is the text "x"/],
      ['a Date', new Date(), /a Date/],
      ['a Map', new Map([['image', JPEG]]), /a Map/],
      ['a Set', new Set([JPEG]), /a Set/],
      ['an empty object', {}, /an empty object/],
      ['an object without a picture', { topic: 'a', count: 1 }, /properties topic, count/],
      ['an object whose image is null', { image: null }, /properties image/],
      ['an upload on disk', { path: '/tmp/x', mimetype: 'image/png', size: 5 }, /stored on disk/],
      ['an object that holds itself', circle, /properties image/],
      ['a network input without its source', { type: 'm2fp-input' }, /undefined/],
    ];
    for (const [name, value, pattern] of cases) {
      it(name, () =>
        assert.throws(() => imageFrom(value), failure('M2FP_NO_IMAGE', pattern, /Accepted are: a Buffer/)),
      );
    }
  });

  describe('refuses, and says what it is,', () => {
    const bmp = Buffer.alloc(60);
    bmp.write('BM');
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1/x.png"/></svg>';
    const cases: [string, string | Buffer, RegExp][] = [
      ['text', 'hello', /text that begins with "hello"/],
      ['long text', 'It was a dark and stormy night; the rain fell in torrents', /"It was a dark and stormy night; the rain\.\.\."/],
      ['text in a Buffer', Buffer.from('hello'), /text that begins with "hello"/],
      ['an HTML page', '<!DOCTYPE html><html><body>Login', /an HTML page/],
      ['an HTML page in a Buffer', Buffer.from('\ufeff<html lang="en">'), /an HTML page/],
      ['an SVG', svg, /an SVG drawing.*other files/],
      ['an SVG after a prologue', Buffer.from(`<?xml version="1.0"?>\n<!-- a -->\n${svg}`), /an SVG drawing/],
      ['an SVG in a data URL', `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`, /an SVG drawing/],
      ['a data URL that is not base64', `data:image/svg+xml,${encodeURIComponent(svg)}`, /not base64-encoded/],
      ['XML', '<?xml version="1.0"?><a/>', /an XML document/],
      ['JSON', '{"image":"..."}', /JSON text/],
      ['an address', 'https://camera.example/snapshot.jpg', /an address.*http request/],
      ['a blob address', 'blob:http://127.0.0.1/3b1c', /only the web page knows.*upload/],
      ['a file name', '/data/photos/IMG 1.JPG', /a file name.*read file/],
      ['a Windows file name', 'C:\\photos\\a.png', /a file name/],
      ['a multipart body', Buffer.concat([Buffer.from('--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n'), JPEG]), /a multipart body/],
      ['an MJPEG stream that is cut in its head', Buffer.from('--x\r\nContent-Type: image/jpeg\r\n'), /a stream of pictures/],
      ['a PDF', Buffer.from('%PDF-1.7\n\0'), /a PDF document/],
      ['base64 of a PDF', Buffer.from('%PDF-1.7\n'.padEnd(100, '\0')).toString('base64'), /a PDF document/],
      ['a BMP', bmp, /a BMP picture/],
      ['an icon', Buffer.from([0, 0, 1, 0, 1, 0]), /an icon/],
      ['a Photoshop file', Buffer.from('8BPS\0\x01'), /a Photoshop file/],
      ['HEIC', box('heic', 'mif1', 'heic'), /a HEIC picture.*JPEG/],
      ['JPEG XL', Buffer.from([0xff, 0x0a, 0, 0]), /a JPEG XL picture/],
      ['JPEG 2000', Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'), /a JPEG 2000 picture/],
      ['a video', box('isom', 'mp42'), /a video/],
      ['a ZIP archive', Buffer.from('PK\x03\x04\x14\0'), /a ZIP archive/],
      ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
      ['unknown bytes', Buffer.from([1, 2, 3, 0xfe]), /the bytes 010203fe/],
    ]; // prettier-ignore
    for (const [name, value, pattern] of cases) {
      it(name, () => assert.throws(() => imageFrom(value), failure('M2FP_UNSUPPORTED_FORMAT', pattern)));
    }

    it('names the supported formats', () => {
      assert.throws(() => imageFrom('hello'), /Supported are JPEG, PNG, WebP, GIF, TIFF and AVIF/);
    });

    it('an AVIF by its brands, wherever they stand', async () => {
      const avif = await sharp(PNG).avif().toBuffer();
      assert.deepEqual(imageFrom(avif), avif);
    });

    for (const brands of [
      ['mif1', 'avif'],
      ['avis', 'msf1'],
    ] as const) {
      it(`an AVIF by its brands: ${brands.join(', ')}`, () => {
        const image = box(...brands);
        assert.deepEqual(imageFrom(image), image);
      });
    }

    it('text whose head ends within a character', () => {
      const text = Buffer.from(`a${'\u00e9'.repeat(3000)}`);
      assert.throws(
        () => imageFrom(text),
        failure('M2FP_UNSUPPORTED_FORMAT', /text that begins with "a\u00e9/),
      );
    });

    it('an array by its first value where none is a picture', () => {
      const values = [Buffer.from('hello'), Buffer.from('%PDF-1.4')];
      assert.throws(() => imageFrom(values), failure('M2FP_UNSUPPORTED_FORMAT', /"hello"/));
    });

    it('a data URL with characters that are not base64', () => {
      assert.throws(
        () => imageFrom('data:image/png;base64,iVBO*w0'),
        failure('M2FP_BAD_IMAGE', /not base64/),
      );
    });
  });

  describe('recognises a picture that was decoded as text', () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff'] as const) {
      it(format, async () => {
        const image = await sharp(noisePng(40, 30)).toFormat(format).toBuffer();
        const text = image.toString('utf8');
        const pattern = new RegExp(`decoded as text on the way.*Content-Type: image/${format}`);
        for (const form of [text, Buffer.from(text)]) {
          assert.throws(() => imageFrom(form), failure('M2FP_UNSUPPORTED_FORMAT', pattern));
        }
      });
    }

    for (const [kind, image] of [
      ['PNG', PNG],
      ['JPEG', JPEG.subarray(0, 20)],
    ] as const) {
      it(`and the shortest ${kind}`, () => {
        assert.throws(
          () => imageFrom(image.toString('utf8')),
          failure('M2FP_UNSUPPORTED_FORMAT', /decoded as text/),
        );
      });
    }

    it('but not in one that has U+FFFD in its metadata', async () => {
      const image = await sharp(noisePng(40, 30)).gif().toBuffer();
      const comment = Buffer.concat([
        Buffer.from([0x21, 0xfe, 12]),
        Buffer.from('\ufffd'.repeat(4)),
        Buffer.from([0]),
      ]);
      const commented = Buffer.concat([image.subarray(0, -1), comment, image.subarray(-1)]);
      assert.deepEqual(imageFrom(commented), commented);
    });

    it('but not in text with damaged characters', () => {
      assert.throws(
        () => imageFrom('\ufffd\ufffd\ufffd ab'),
        failure('M2FP_UNSUPPORTED_FORMAT', /text that begins/),
      );
      assert.throws(
        () => imageFrom('Gr\ufffd\ufffde aus K\ufffdln, \ufffdbrigens'),
        /text that begins with "Gr/,
      );
    });
  });

  describe('limits bytes', () => {
    const limits = { maxBytes: JPEG.length, maxPixels: 1e6 };
    const less = { ...limits, maxBytes: JPEG.length - 1 };
    const forms = {
      'a Buffer': JPEG,
      base64: base64,
      'base64 in lines': base64.replace(/.{76}/g, '$&\r\n'),
      'a data URL': `data:image/jpeg;base64,${base64}`,
      'base64 in a Buffer': Buffer.from(base64),
      'an upload': { buffer: JPEG },
      'an array': [{ buffer: JPEG }, { buffer: JPEG.subarray(0, 100) }],
      'a Buffer as JSON': JPEG.toJSON(),
    };
    for (const [name, form] of Object.entries(forms)) {
      it(`of ${name}`, () => {
        assert.deepEqual(imageFrom(form, limits), JPEG);
        assert.throws(
          () => imageFrom(form, less),
          failure('M2FP_IMAGE_TOO_LARGE', new RegExp(`limit is ${less.maxBytes}`)),
        );
      });
    }

    it('before anything is decoded or copied', () => {
      const many = base64.repeat(10);
      const inBuffer = Buffer.from(many);
      const asJson = JPEG.toJSON();
      const from = mock.method(Buffer, 'from');
      const toString = mock.method(Buffer.prototype, 'toString');
      try {
        for (const form of [base64, many, asJson]) {
          assert.throws(() => imageFrom(form, less), failure('M2FP_IMAGE_TOO_LARGE'));
        }
        assert.equal(from.mock.callCount(), 0);
        assert.throws(() => imageFrom(inBuffer, less), failure('M2FP_IMAGE_TOO_LARGE'));
        for (const { result } of toString.mock.calls) assert.ok(result!.length <= 4096);
        imageFrom(base64, limits);
        assert.ok(from.mock.callCount() > 0);
      } finally {
        from.mock.restore();
        toString.mock.restore();
      }
      assert.throws(() => imageFrom('*'.repeat(10_000), less), failure('M2FP_IMAGE_TOO_LARGE'));
    });

    it('to 32 MiB by default', () => {
      const image = Buffer.concat([JPEG, Buffer.alloc(32 * 1024 * 1024 - JPEG.length)]);
      assert.equal(imageFrom(image).length, 32 * 1024 * 1024);
      assert.throws(
        () => imageFrom(Buffer.concat([image, Buffer.alloc(1)])),
        failure('M2FP_IMAGE_TOO_LARGE'),
      );
    });
  });

  it('lists the names of one object at most, and reads none but known ones', () => {
    const [lists, read] = [{ count: 0 }, new Set<unknown>()];
    const spied = () =>
      new Proxy<Record<string, unknown>>(
        { topic: 1, more: 2 },
        {
          ownKeys: (target) => (lists.count++, Reflect.ownKeys(target)),
          get: (target, name) => (read.add(name), Reflect.get(target, name)),
        },
      );
    for (const value of [spied(), [spied(), spied(), spied()], { image: spied() }]) {
      lists.count = 0;
      assert.throws(() => imageFrom(value), failure('M2FP_NO_IMAGE', /properties topic, more/));
      assert.equal(lists.count, 1);
    }
    assert.ok(!read.has('topic') && !read.has('more'));
  });

  it('gives a Buffer or an M2fpError, whatever comes', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.base64String(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.record({ image: fc.anything() }),
      fc.record({ buffer: fc.uint8Array(), mimetype: fc.string() }),
    );
    fc.assert(
      fc.property(anything, (value) => {
        try {
          assert.ok(Buffer.isBuffer(imageFrom(value)));
        } catch (error) {
          assert.ok(error instanceof M2fpError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
