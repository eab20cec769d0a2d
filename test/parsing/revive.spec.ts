import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { reviveParsing } from '../../src/parsing/revive.ts';
import { redact } from '../../src/parsing/redact/redact.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { parsingOf } from './scene.ts';

const throughJson = (value: unknown): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

/** A field that is not there is named, with what to do. */
const told = (field: string) =>
  new RegExp(`has lost its ${field} on the way\\. Keep msg\\.parsing whole from infer to this node`);

describe('reviveParsing', () => {
  let parsing: Parsing;

  beforeEach(async () => {
    parsing = await parsingOf({
      width: 3,
      height: 2,
      labels: ['Background', 'Face', 'Human'],
      labelRows: ['010', '000'],
      personRows: ['111', '000'],
      persons: [{ rows: ['###', '...'] }],
      parts: [{ index: 1, person: 1, rows: ['.#.', '...'] }],
    });
  });

  it('takes a parsing as it is', async () => {
    assert.equal(await reviveParsing(parsing), parsing);
  });

  it('takes what JSON makes of it, and what works on it finds the same', async () => {
    const json = throughJson(parsing);
    const copy = structuredClone(json);
    const revived = await reviveParsing(json);
    assert.deepEqual(revived, parsing);
    assert.deepEqual(json, copy, 'nothing is written into what came');
    assert.deepEqual((await redact(revived)).image, (await redact(parsing)).image);
  });

  it('takes base64 text and bytes of other kinds', async () => {
    const maps = {
      image: parsing.image.toString('base64url'),
      labelMap: parsing.labelMap.toString('base64'),
      personMap: new Uint8Array(parsing.personMap),
    };
    assert.deepEqual(await reviveParsing({ ...throughJson(parsing), ...maps }), parsing);
  });

  it('takes one without its doubtful persons and parts, and makes none up: redact refuses it as without JSON', async () => {
    const { doubtful: _doubtful, ...old } = parsing;
    for (const without of [old, throughJson(old)]) {
      const revived = await reviveParsing(without);
      assert.deepEqual(revived, old);
      await assert.rejects(redact(revived), { code: 'M2FP_NO_PARSING', message: /lost its "doubtful"/ });
    }
  });

  const wrong: [string, (parsing: Parsing) => unknown, RegExp][] = [
    ['text', (p) => JSON.stringify(p), /text, not an object: put a json node/],
    ['no image', (p) => ({ ...throughJson(p), image: undefined }), /has lost its image on the way.*base64/],
    ...(['width', 'height', 'labels', 'persons', 'parts'] as const).flatMap((field): typeof wrong => [
      [`no ${field}`, (p) => ({ ...p, [field]: undefined }), told(field)],
      [`no ${field} after JSON`, (p) => ({ ...throughJson(p), [field]: undefined }), told(field)],
    ]),
    [
      'several that are not there',
      (p) => ({ ...throughJson(p), width: undefined, labelMap: undefined }),
      /has lost its width, its labelMap on the way, as through JSON.*base64/,
    ],
    [
      'no image and no size',
      (p) => ({ ...p, image: null, width: null, height: null }),
      /its image, its width/,
    ],
    ['a width that is a text', (p) => ({ ...throughJson(p), width: '3' }), /width is not a whole number/],
    ['labels that are a text', (p) => ({ ...throughJson(p), labels: 'Hair' }), /labels is not a list/],
    ['something else', () => ({ persons: 3 }), /it has no image, .*wire an M2FP infer node/],
    ['a picture', () => Buffer.from('x'), /it has no image, no width, .*wire an M2FP infer node/],
    ['no map', (p) => ({ ...p, personMap: null }), /has lost its personMap/],
    [
      'another size',
      (p) => ({ ...throughJson(p), labelMap: { type: 'Buffer', data: [1] } }),
      /labelMap.*6 bytes/,
    ],
    [
      'numbers that are no bytes',
      (p) => ({ ...throughJson(p), labelMap: { type: 'Buffer', data: [0, 1, 2, 3, 4, 256] } }),
      /labelMap.*neither a Buffer of 6 bytes/,
    ],
    ['a longer text', (p) => ({ ...p, labelMap: 'AAAAAAAAAAAAAAAA' }), /labelMap/],
    ['a text that is no base64', (p) => ({ ...p, labelMap: '!!!!!!!!' }), /labelMap/],
    ['an image of nothing', (p) => ({ ...p, image: { type: 'Buffer', data: [] } }), /image/],
    ['a number for a map', (p) => ({ ...p, labelMap: 3 }), /labelMap/],
    [
      'doubtful of another shape',
      (p) => ({ ...p, doubtful: { persons: [] } }),
      /doubtful\.parts is not a list/,
    ],
    [
      'a part of nobody whom it knows',
      (p) => throughJson({ ...p, parts: [{ ...p.parts[0], person: 99 }] }),
      /parts\[0\]\.person is 99/,
    ],
    [
      'a time that is none',
      (p) => throughJson({ ...p, timing: { ...p.timing, total: Number.NaN } }),
      /timing\.total is not a time/,
    ],
  ];
  for (const [name, make, message] of wrong) {
    it(`says what to do about ${name}`, async () => {
      await assert.rejects(reviveParsing(make(parsing)), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'M2FP_NO_PARSING');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('tells a summary from a parsing', async () => {
    await assert.rejects(reviveParsing(await summarize(parsing)), {
      code: 'M2FP_NO_PARSING',
      message: /summary of a parsing.*msg\.payload.*needs msg\.parsing/,
    });
  });

  it('lets the event loop turn while it reads the numbers of a large picture', async () => {
    const [width, height] = [2000, 2000];
    const map = { type: 'Buffer', data: Array.from({ length: width * height }, () => 0) };
    const large = {
      ...throughJson(parsing),
      width,
      height,
      labelMap: map,
      personMap: map,
      persons: [],
      parts: [],
    };
    let turns = 0;
    const hook = createHook({ init: (_id, type) => (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      const { labelMap } = await reviveParsing(large);
      assert.equal(labelMap.length, width * height);
    } finally {
      hook.disable();
    }
    // Two maps of 4 million numbers, a quarter of a million at a time.
    assert.ok(turns >= 30, `${turns} turns`);
  });
});
