import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { M2fpError, type M2fpErrorCode, STATUS_CODES } from '../../src/errors.ts';
import { imageFrom } from '../../src/image/source/image-from-message.ts';
import { problemAnswer } from '../../src/service/problem-answer.ts';
import { negotiate } from '../../src/service/negotiate.ts';
import { problemOf } from '../../src/service/problem.ts';

const CODES = Object.keys(STATUS_CODES) as M2fpErrorCode[];

/** What no client is to read. */
const INSIDE = /\bmsg\.|\bnodes?\b|\/srv|C:\\|onnx|settings|undefined|Accepted are/;

describe('a problem', () => {
  for (const code of CODES) {
    it(`has a status, a title and something to do for ${code}, whatever the error says`, () => {
      for (const message of [
        'Model /srv/models/m2fp is gone: wire an M2FP infer node before this node.',
        'The form of msg.m2fp is C:\\models\\a',
        '',
        undefined,
      ]) {
        const problem = problemOf({ code, message });
        assert.doesNotMatch(`${problem.title} ${problem.detail}`, INSIDE);
        assert.ok(problem.title.length > 3 && problem.detail.length > 15);
        if (code === 'M2FP_NO_PARSING') continue;
        assert.deepEqual([problem.status, problem.code], [STATUS_CODES[code], code]);
      }
    });
  }

  it('tells what is wrong with what the client sent, in the words of the error', () => {
    const message = 'Option "scoreThreshold" is 7; allowed: a number from 0.1 to 1.';
    assert.equal(problemOf({ code: 'M2FP_BAD_OPTION', message }).detail, message);
    // As a Catch node has it.
    assert.equal(problemOf({ code: 'M2FP_BAD_OPTION', message: `M2fpError: ${message}` }).detail, message);
  });

  it('tells how to send a picture where there is none', () => {
    for (const value of [{ a: 1 }, [], 'https', 3]) {
      try {
        imageFrom(value);
        assert.fail();
      } catch (error) {
        const { detail, status } = problemOf(error as M2fpError);
        assert.ok([400, 415].includes(status));
        assert.doesNotMatch(detail, INSIDE);
        if (status === 400) assert.match(detail, /Send it as the body of the request/);
      }
    }
  });

  it('says what Redis says that takes no changes, and not where it is', () => {
    const message =
      'M2fpError: The workers of the queue "m2fp" get no pictures: Redis at redis://10.0.0.1:6379 takes no changes because ' +
      'too few of its replicas are there: start them. (NOREPLICAS Not enough good replicas to write.)';
    assert.equal(
      problemOf({ code: 'M2FP_ENGINE_UNAVAILABLE', message }).detail,
      'The service cannot answer at the moment: its Redis takes no changes (NOREPLICAS). Try again later.',
    );
    const lost = 'Nobody answers at redis://10.0.0.1:6379: is Redis running there? (connection refused)';
    assert.doesNotMatch(problemOf({ code: 'M2FP_ENGINE_UNAVAILABLE', message: lost }).detail, /Redis/);
  });

  it('is a fault of the service where the error is none of ours, or there is no result', () => {
    for (const error of [
      {},
      new TypeError('x of undefined'),
      { code: 'ENOENT' },
      { code: 'M2FP_NO_PARSING' },
    ]) {
      const { status, code, detail } = problemOf(error);
      assert.deepEqual([status, code], [500, 'INTERNAL']);
      assert.doesNotMatch(detail, INSIDE);
    }
  });

  it('says when to try again where that helps: as told, else by its code', () => {
    const { statusCode, headers, body } = problemAnswer({ code: 'M2FP_BUSY', message: 'full' }, 17);
    assert.equal(statusCode, 429);
    assert.deepEqual(
      [headers['content-type'], headers['retry-after'], headers['cache-control']],
      ['application/problem+json', '17', 'no-store'],
    );
    assert.equal((JSON.parse(body.toString()) as { retryAfter: number }).retryAfter, 17);
    for (const code of CODES) {
      const wait = problemAnswer({ code }).headers['retry-after'];
      if ([429, 503].includes(STATUS_CODES[code])) assert.match(String(wait), /^[1-9]\d*$/, code);
      if ([400, 401, 406, 413, 415].includes(STATUS_CODES[code])) assert.equal(wait, undefined, code);
    }
  });

  it('asks for a key in the way of HTTP', () => {
    assert.equal(
      problemAnswer({ code: 'M2FP_UNAUTHORIZED' }).headers['www-authenticate'],
      'Bearer realm="m2fp"',
    );
  });

  it('leads to a place on the page about HTTP', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'http.md'), 'utf8');
    const places = new Set([...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!.toLowerCase()));
    for (const code of CODES) {
      const { type } = problemOf({ code });
      assert.match(type, /\/docs\/http\.md#/);
      assert.ok(places.has(type.split('#')[1]!), type);
    }
  });
});

describe('the format of an answer', () => {
  const cases: [accept: string | undefined, preferred: 'json' | 'png', expected: string][] = [
    [undefined, 'json', 'json'],
    ['*/*', 'png', 'png'],
    ['', 'json', 'json'],
    ['application/json', 'png', 'json'],
    ['image/*', 'json', 'png'],
    ['image/webp, image/png;q=0.9', 'json', 'webp'],
    ['image/avif,image/webp,*/*;q=0.8', 'json', 'webp'],
    ['text/html, application/json;q=0.2', 'png', 'json'],
    ['multipart/mixed', 'json', 'multipart'],
    ['application/json;q=0, */*', 'json', 'png'],
  ];
  for (const [accept, preferred, expected] of cases) {
    it(`is ${expected} for ${accept} where ${preferred} is the form's`, () => {
      assert.equal(negotiate(accept, { preferred }), expected);
    });
  }

  it('is refused where the client accepts none, and the others are named', () => {
    for (const accept of ['text/html', 'image/gif', '*/*;q=0']) {
      assert.throws(() => negotiate(accept, {}), {
        code: 'M2FP_NOT_ACCEPTABLE',
        message: /image\/webp.*coco/,
      });
    }
  });

  it('is JSON for whoever accepts JSON, where the form has COCO', () => {
    assert.equal(negotiate('application/json', { preferred: 'coco' }), 'coco');
    assert.equal(negotiate('image/png', { preferred: 'coco' }), 'png');
  });
});
