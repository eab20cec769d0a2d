/** A refusal says what was wrong with that very request, in words for whoever sent it. */
import assert from 'node:assert/strict';
import { clientRules } from '../../nodes/m2fp-request/client-rules.ts';
import { encodeImage } from '../../src/image/encode.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import type { AnswerOptions } from '../../src/service/answer-options.ts';
import { contentOf } from '../../src/service/body/content.ts';
import { readClientOptions } from '../../src/service/client-options.ts';
import { planAnswer } from '../../src/service/plan.ts';
import { type ErrorLike, problemOf } from '../../src/service/problem.ts';
import { orderOf } from '../../src/service/request.ts';

const BASE64 = Buffer.alloc(60, 7).toString('base64');
const FORM = 'multipart/form-data; boundary=XX';
const part = (content: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('--XX\r\nContent-Disposition: form-data; name="image"\r\n\r\n'),
    content,
    Buffer.from('\r\n--XX--\r\n'),
  ]);

async function detailOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return problemOf(error as ErrorLike).detail;
  }
  return assert.fail('taken');
}

describe('the words of a refusal', () => {
  const rules = clientRules('flip');

  const BODIES: [what: string, body: string | Buffer, type: string, words: RegExp][] = [
    ['a path', '{"image":"/etc/passwd"}', '', /^What came is text, and neither a picture nor base64/],
    ['a file name', '{"image":"C:\\\\a.jpg"}', '', /^What came is a file name, and no picture\. Send a JPEG/],
    ['a path in a form', part(Buffer.from('/etc/passwd')), FORM, /^What came is text, and neither/],
    [
      'base64 with signs',
      `{"image":"!!!!${BASE64}"}`,
      '',
      /base64 that holds "!", which base64 does not have/,
    ],
    ['base64 with signs inside', `{"image":"${BASE64}#${BASE64}"}`, '', /base64 that holds "#"/],
    [
      'a file of a form without name and type',
      part(Buffer.from('ffd8ffe000104a46494600010100000100010000ffdb', 'hex')),
      FORM,
      /taken for text.*with a filename or a type such as image\/jpeg/,
    ],
    ['JSON in UTF-16', Buffer.from('\ufeff{"image":"a"}', 'utf16le'), 'application/json', /UTF-16.*as UTF-8/],
    ['the same without its mark', Buffer.from('["a"]', 'utf16le'), '', /UTF-16/],
    ['the same in the other order', Buffer.from('\ufeff{"image":"a"}', 'utf16le').swap16(), '', /UTF-16/],
    ['two pictures', `{"image":"${BASE64}","photo":"a"}`, '', /"photo" beside "image": send one picture/],
  ];
  for (const [what, body, type, words] of BODIES) {
    it(`say what came: ${what}`, async () => {
      const content = () => contentOf(Buffer.from(body), type);
      assert.match(
        await detailOf(async () => orderOf(await content(), [], rules, DEFAULT_LIMITS, true)),
        words,
      );
    });
  }

  const OPTIONS: [name: string, value: unknown, words: RegExp][] = [
    ['labels', '', /^Option "labels" is ""; allowed/],
    ['persons', 'yes', /^Option "persons" is "yes"; allowed/],
    ['grow', -1, /^Option "grow" is -1; allowed: auto, or a whole number from 0 to 512\.$/],
    ['grow', 0.5, /^Option "grow" is 0.5; allowed: auto, or a whole number from 0 to 512\.$/],
    ['grow', 'none', /^Option "grow" is "none"; allowed: auto, or a whole number from 0 to 512\.$/],
  ];
  for (const [name, value, words] of OPTIONS) {
    it(`name the option and what was sent: ${name} ${JSON.stringify(value)}`, async () => {
      const read = () => {
        const { response }: { response: AnswerOptions } = readClientOptions([], { [name]: value }, rules);
        return planAnswer({ options: response });
      };
      assert.match(await detailOf(read), words);
    });
  }

  it('name the option where a picture is too long for its format', async () => {
    for (const [format, width, others] of [
      ['webp', 16384, 'png or jpeg'],
      ['webp', 65501, 'png'],
      ['jpeg', 65501, 'png'],
    ] as const) {
      const raw = { width, height: 1, channels: 3, data: Buffer.alloc(3 * width) } as const;
      const words = new RegExp(
        `^Option "format" is "${format}"; allowed: ${others}, since .* at most \\d+ a side`,
      );
      assert.match(await detailOf(() => encodeImage(raw, { format })), words);
    }
    const most = { width: 16383, height: 1, channels: 3, data: Buffer.alloc(3 * 16383) } as const;
    assert.ok((await encodeImage(most, { format: 'webp' })).length > 0);
  });
});
