/** What bodies say, made by programs that are not ours where there are such. */
import assert from 'node:assert/strict';
import { checkEncoding, contentOf } from '../../src/service/body/content.ts';

const PICTURE = Buffer.from('89504e470d0a1a0a00ff00fe', 'hex');

/** As undici sends a form. */
async function sent(form: FormData): Promise<{ body: Buffer; type: string }> {
  const response = new Response(form);
  return {
    body: Buffer.from(await response.arrayBuffer()),
    type: response.headers.get('content-type')!,
  };
}

const buffersOf = (picture: unknown): Buffer[] =>
  (picture as { buffer: Buffer }[]).map(({ buffer }) => buffer);

/** As Python's requests sends a file, a field and an empty file. */
const REQUESTS = [
  '--5a0ee9b7c2\r\nContent-Disposition: form-data; name="masks"\r\n\r\nrle\r\n',
  '--5a0ee9b7c2\r\nContent-Disposition: form-data; name="image"; filename="ä.png"\r\nContent-Type: image/png\r\n\r\n',
  PICTURE,
  '\r\n--5a0ee9b7c2\r\nContent-Disposition: form-data; name="empty"; filename=""\r\n\r\n\r\n--5a0ee9b7c2--\r\n',
].map((piece) => Buffer.from(piece as string));

describe('the content of a body', () => {
  it('is the file of a form, and its fields', async () => {
    const form = new FormData();
    form.append('flip', 'true');
    form.append('名', 'é, 中');
    form.append('a', new Blob([new Uint8Array(20_000_000).fill(7)]), 'ä 中.png');
    const { body, type } = await sent(form);
    const { picture, texts, values } = await contentOf(body, type);
    const [file, ...more] = buffersOf(picture);
    assert.ok(file!.equals(Buffer.alloc(20_000_000, 7)));
    assert.deepEqual(more, []);
    assert.deepEqual(texts, [
      ['flip', 'true'],
      ['名', 'é, 中'],
    ]);
    assert.deepEqual(values, {});
  });

  it("is the files and fields of Python's requests", async () => {
    const { picture, texts } = await contentOf(
      Buffer.concat(REQUESTS),
      'multipart/form-data; boundary=5a0ee9b7c2',
    );
    assert.deepEqual(buffersOf(picture), [PICTURE]);
    assert.deepEqual(texts, [['masks', 'rle']]);
  });

  for (const type of [
    'multipart/mixed; boundary=XX',
    'multipart/form-data',
    'multipart/form-data; boundary=',
  ]) {
    it(`is the body that is a picture, called ${type}`, async () => {
      const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffdb', 'hex');
      assert.deepEqual((await contentOf(jpeg, type)).picture, jpeg);
    });
  }

  it('is refused where it was compressed in any way', () => {
    for (const coding of ['gzip', 'gzip, br', 'identity, zstd', 'X-GZIP'])
      assert.throws(() => checkEncoding(coding), { code: 'M2FP_UNSUPPORTED_FORMAT' }, coding);
    for (const coding of [undefined, '', 'identity']) checkEncoding(coding);
  });

  it('is a picture that a form holds without a file name, behind a preamble, under a quoted boundary', async () => {
    const body = Buffer.concat([
      Buffer.from(
        'hello\r\n--a b\r\ncontent-disposition: form-data; name=x\r\ncontent-type: image/png\r\n\r\n',
      ),
      PICTURE,
      Buffer.from('\r\n--a b--\r\nbye'),
    ]);
    const { picture } = await contentOf(body, 'Multipart/Form-Data; charset=utf-8; boundary="a b"');
    assert.deepEqual(buffersOf(picture), [PICTURE]);
  });

  it('is the text of a field that has a name for pictures', async () => {
    for (const name of ['image', 'Picture', 'photo', 'file']) {
      const form = new FormData();
      form.append(name, 'aGVsbG8=');
      form.append('masks', 'rle');
      const { body, type } = await sent(form);
      assert.deepEqual(await contentOf(body, type), {
        picture: 'aGVsbG8=',
        texts: [['masks', 'rle']],
        values: {},
      });
    }
    const search = Buffer.from(new URLSearchParams({ image: 'a+b/c=', flip: 'true' }).toString());
    const { picture, texts } = await contentOf(search, 'application/x-www-form-urlencoded');
    assert.deepEqual([picture, texts], ['a+b/c=', [['flip', 'true']]]);
  });

  it('is the picture in JSON, and what lies beside it', async () => {
    const body = Buffer.from('\ufeff {"image": "abc", "flip": true, "colorize": {"opacity": 1}}');
    assert.deepEqual(await contentOf(body, 'text/plain'), {
      picture: 'abc',
      texts: [],
      values: { flip: true, colorize: { opacity: 1 } },
    });
    for (const bytes of [[137, 80], { type: 'Buffer', data: [137, 80] }, { 0: 137, 1: 80 }]) {
      const alone = await contentOf(Buffer.from(JSON.stringify(bytes)), '');
      assert.deepEqual(alone, { picture: bytes, texts: [], values: {} });
      const { picture } = await contentOf(Buffer.from(JSON.stringify({ image: bytes })), '');
      assert.deepEqual(picture, bytes);
    }
  });

  it('is nothing where there are blanks only', async () => {
    for (const blank of ['', ' ', '\r\n', '\ufeff'])
      assert.equal((await contentOf(Buffer.from(blank), 'application/json')).picture, undefined);
  });

  const PICTURES: [what: string, fields: [name: string, value: string | Blob][], names: string[] | null][] = [
    ['a file under any name', [['upload', new Blob([PICTURE])]], null],
    ['a file, beside the option "picture"', [['image', new Blob([PICTURE])], ['picture', 'true']], null], // prettier-ignore
    ['a file, beside fields that were left blank', [['photo', new Blob([PICTURE])], ['image', ' '], ['file', new Blob([])]], null], // prettier-ignore
    ['a file, beside a wrong option "picture"', [['image', new Blob([PICTURE])], ['picture', 'yes']], null], // prettier-ignore
    ['two files', [['image', new Blob([PICTURE])], ['mask', new Blob([PICTURE])]], ['image', 'mask']], // prettier-ignore
    ['two files in one field', [['image', new Blob([PICTURE])], ['image', new Blob([PICTURE])]], ['image', 'image']], // prettier-ignore
    ['a file that is no picture, and a picture', [['notes', new Blob(['text'])], ['image', new Blob([PICTURE])]], ['notes', 'image']], // prettier-ignore
    ['a file and a text', [['photo', new Blob([PICTURE])], ['image', 'aGVsbG8=']], ['photo', 'image']], // prettier-ignore
    ['two texts', [['img', 'aGVsbG8='], ['picture', 'a'.repeat(40)]], ['img', 'picture']], // prettier-ignore
  ];
  for (const [what, fields, names] of PICTURES) {
    it(`${names ? 'is no form of more than one picture, which are named' : 'is one picture'}: ${what}`, async () => {
      const form = new FormData();
      for (const [name, value] of fields)
        if (typeof value === 'string') form.append(name, value);
        else form.append(name, value, 'a');
      const { body, type } = await sent(form);
      if (names) {
        const shown = names.map((name) => JSON.stringify(name)).join(', ');
        const message = new RegExp(`2 files or pictures \\(${shown}\\): send one picture in each request`);
        await assert.rejects(contentOf(body, type), { code: 'M2FP_NO_IMAGE', message });
      } else {
        const { picture, texts } = await contentOf(body, type);
        assert.deepEqual(buffersOf(picture), [PICTURE]);
        assert.deepEqual(texts, what.includes('option') ? [fields[1]] : []);
      }
    });
  }

  it('is the body itself, under any type', async () => {
    for (const type of ['', 'image/png', 'application/json', 'application/x-www-form-urlencoded']) {
      assert.equal((await contentOf(PICTURE, type)).picture, PICTURE);
    }
  });

  const broken: [what: string, body: Buffer, type: string, words: RegExp][] = [
    [
      'a form that was cut off',
      Buffer.concat(REQUESTS.slice(0, 3)),
      'multipart/form-data; boundary=5a0ee9b7c2',
      /cut off/,
    ],
    [
      'a form of another boundary',
      Buffer.concat(REQUESTS),
      'multipart/form-data; boundary=b',
      /holds no file/,
    ],
    ['a form without a boundary', Buffer.concat(REQUESTS), 'multipart/form-data', /no boundary/],
    [
      'a list of parts',
      Buffer.from('--b\r\n\r\n\r\n--b--'),
      'multipart/mixed; boundary=b',
      /Content-Type of the upload/,
    ],
    ...(
      [
        ['null', 'null'],
        [' 5\n', 'a number'],
        ['-1.5e3', 'a number'],
        ['true', 'a boolean'],
        ['[]', 'a list of 0'],
        ['["aGVsbG8="]', 'a list of 1'],
        ['[{"image": "aGVsbG8=", "masks": "rle"}]', 'a list of 1'],
        ['{}', 'an object'],
        ['{"buffer": "aGVsbG8=", "masks": "rle"}', 'an object that holds none in "image"'],
        ['{"image": 5}', 'a number'],
        ['{"image": ["aGVsbG8=", "aGVsbG8="]}', 'a list of 2'],
        ['{"image": {"image": "aGVsbG8=", "masks": "rle"}}', 'an object'],
      ] as const
    ).map(([json, kind]): [string, Buffer, string, RegExp] => [
      `JSON without a picture: ${json}`,
      Buffer.from(json),
      'application/json',
      new RegExp(`JSON is ${kind}.*no picture`),
    ]),
    ['JSON that is none', Buffer.from('{"image": '), '', /looks like JSON/],
    ['an address in JSON', Buffer.from('{"image": "https://example.org/a.png"}'), '', /fetches no pictures/],
    ['an address as text', Buffer.from(' http://127.0.0.1/a.png'), 'text/plain', /fetches no pictures/],
    ['an address of a file', Buffer.from('"file:///etc/passwd"'), '', /fetches no pictures/],
    [
      'an address in a form',
      Buffer.from('image=HTTP%3A%2F%2Fa'),
      'application/x-www-form-urlencoded',
      /fetches no pictures/,
    ],
  ];
  for (const [what, body, type, words] of broken) {
    it(`is not ${what}`, async () => {
      await assert.rejects(contentOf(body, type), { code: 'M2FP_NO_IMAGE', message: words });
    });
  }

  it('is no more than a thousand fields', async () => {
    const form = new FormData();
    for (let i = 0; i < 1001; i++) form.append(`a${i}`, '1');
    const { body, type } = await sent(form);
    await assert.rejects(contentOf(body, type), /more than 1000 fields/);
  });

  it('is no form of parts without end, which nobody takes apart', async () => {
    for (const boundary of ['x', '"x"']) {
      const body = Buffer.from('--x\r\n\r\n\r\n'.repeat(1200) + '--x--\r\n');
      const type = `multipart/form-data; boundary=${boundary}`;
      await assert.rejects(contentOf(body, type), /more than 1000 fields/);
    }
  });
});
