import assert from 'node:assert/strict';
import { checkParsing } from '../../src/parsing/check.ts';
import { reviveParsing } from '../../src/parsing/revive.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { parsingOf } from './scene.ts';

describe('checkParsing', () => {
  let parsing: Parsing;

  beforeEach(async () => {
    parsing = await parsingOf({
      width: 3,
      height: 2,
      labels: ['Background', 'Hair', 'Human'],
      persons: [{ rows: ['###', '...'] }],
      parts: [{ index: 1, person: 1, rows: ['.#.', '...'] }],
    });
  });

  it('takes a parsing, also one without anybody', () => {
    checkParsing(parsing);
    checkParsing(structuredCloneWithBuffers({ ...parsing, persons: [], parts: [] }));
    Object.assign(parsing.parts[0]!, { box: { x: 0, y: 0, width: 0, height: 0 }, area: 0 });
    checkParsing(parsing);
  });

  it('says of what throws when it is read that it is no parsing', async () => {
    const boom = (name: string, other: object): object =>
      Object.defineProperty({ ...other }, name, {
        enumerable: true,
        get: () => {
          throw new Error('boo');
        },
      });
    const [person, part] = [parsing.persons[0]!, parsing.parts[0]!];
    for (const odd of [
      ...['image', 'width', 'labels', 'persons', 'doubtful', 'topic'].map((name) => boom(name, parsing)),
      ...['id', 'mask', 'track', 'zones'].map((name) => ({ ...parsing, persons: [boom(name, person)] })),
      { ...parsing, persons: [{ ...person, box: boom('x', person.box) }] },
      { ...parsing, parts: [boom('person', part)] },
      new Proxy(parsing, {
        get: () => {
          throw new Error('boo');
        },
      }),
    ]) {
      const expected = { code: 'M2FP_NO_PARSING', message: /cannot be read: boo/ };
      assert.throws(() => checkParsing(odd), expected);
      await assert.rejects(reviveParsing(odd), expected);
    }
  });

  const wrong: [reason: RegExp, change: (parsing: Parsing) => unknown][] = [
    [/there is none/, () => undefined],
    [/there is none/, () => null],
    [/not an object/, () => 'parsing'],
    [/not an object/, (p) => [p]],
    [/image is not a Buffer/, (p) => ({ ...p, image: 'text' })],
    [/image is not a Buffer/, (p) => JSON.parse(JSON.stringify(p))],
    [/width is not a whole number from 1/, (p) => ({ ...p, width: 0 })],
    [/width is not a whole number from 1/, (p) => JSON.parse(JSON.stringify({ ...p, width: '3' }))],
    [/height is not a whole number from 1/, (p) => ({ ...p, height: 2.5 })],
    [/\(it has no width\)/, (p) => ({ ...p, width: undefined })],
    [/\(it has no width, no height, no labels\)/, (p) => without(p, 'labels', 'height', 'width')],
    [/\(it has no image\)/, (p) => without(p, 'image')],
    [/\(it has no labelMap, no personMap\)/, (p) => without(p, 'labelMap', 'personMap')],
    [/\(it has no persons, no parts\)/, (p) => without(p, 'persons', 'parts')],
    [/labels is not a list of names/, (p) => ({ ...p, labels: 'Hair' })],
    [/labels is not a list of names/, (p) => ({ ...p, labels: ['Hair', 1] })],
    [/labels has 0 entries/, (p) => ({ ...p, labels: [] })],
    [/labels has 255 entries/, (p) => ({ ...p, labels: Array(255).fill('x') })],
    [/labelMap is not a Buffer of 3 x 2 bytes/, (p) => ({ ...p, labelMap: Buffer.alloc(5) })],
    [/personMap is not a Buffer of 3 x 2 bytes/, (p) => ({ ...p, personMap: [] })],
    [/persons is not a list/, (p) => ({ ...p, persons: {} })],
    [/parts is not a list/, (p) => ({ ...p, parts: 'all' })],
    [/persons\[0\] is not an object/, (p) => ({ ...p, persons: [1] })],
    [/persons\[0\]\.id is above 255/, (p) => change(p, 'persons', { id: 256 })],
    [/persons\[0\]\.id is not/, (p) => change(p, 'persons', { id: 0 })],
    [/parts\[0\]\.score is not a number/, (p) => change(p, 'parts', { score: Number.NaN })],
    [/parts\[0\]\.score is not a number from 0 to 1/, (p) => change(p, 'parts', { score: 2 })],
    [/persons\[0\]\.score is not a number from 0 to 1/, (p) => change(p, 'persons', { score: -1 })],
    [/parts\[0\]\.area/, (p) => change(p, 'parts', { area: 7 })],
    [/parts\[0\]\.area is larger than its box/, (p) => change(p, 'parts', { area: 2 })],
    [/persons\[1\]\.id is 1 as that/, (p) => ({ ...p, persons: [p.persons[0], p.persons[0]] })],
    [/parts\[1\]\.id is 1 as that/, (p) => ({ ...p, parts: [p.parts[0], p.parts[0]] })],
    [
      /doubtful\.persons\[0\]\.id is 1 as that/,
      (p) => ({ ...p, doubtful: { persons: [p.persons[0]], parts: [] } }),
    ],
    [/timing is not an object/, (p) => ({ ...p, timing: 'x' })],
    [/timing\.decode is not a time/, (p) => ({ ...p, timing: { ...p.timing, decode: 1e308 } })],
    [/timing\.queue is not a time/, (p) => ({ ...p, timing: { ...p.timing, queue: Number.NaN } })],
    [
      /parts\[0\]\.box is not a box inside/,
      (p) => change(p, 'parts', { box: { x: 1, y: 0, width: 3, height: 1 } }),
    ],
    [
      /parts\[0\]\.box is not a box inside/,
      (p) => change(p, 'parts', { box: { x: -1, y: 0, width: 1, height: 1 } }),
    ],
    [/parts\[0\]\.box is not a box inside/, (p) => change(p, 'parts', { box: undefined })],
    [/parts\[0\]\.mask/, (p) => change(p, 'parts', { mask: { size: [3, 2], counts: '' } })],
    [/parts\[0\]\.mask/, (p) => change(p, 'parts', { mask: { size: [2, 3], counts: [6] } })],
    [/parts\[0\]\.mask/, (p) => change(p, 'parts', { mask: undefined })],
    [/parts\[0\]\.label/, (p) => change(p, 'parts', { label: 1 })],
    [/parts\[0\]\.index/, (p) => change(p, 'parts', { index: 256 })],
    [/parts\[0\]\.index/, (p) => change(p, 'parts', { index: 3 })],
    [/parts\[0\]\.person/, (p) => change(p, 'parts', { person: undefined })],
    [/parts\[0\]\.person is 99, and there is no such person/, (p) => change(p, 'parts', { person: 99 })],
    [/parts has 10001 entries/, (p) => ({ ...p, parts: Array(10_001).fill(p.parts[0]) })],
    [/persons has 256 entries/, (p) => ({ ...p, persons: Array(256).fill(p.persons[0]) })],
    [/doubtful is not an object/, (p) => ({ ...p, doubtful: [] })],
    [/doubtful\.persons is not a list/, (p) => ({ ...p, doubtful: { parts: [] } })],
    [/doubtful\.parts\[0\] is not an object/, (p) => ({ ...p, doubtful: { persons: [], parts: [1] } })],
  ];
  for (const [reason, make] of wrong) {
    it(`says what is wrong: ${reason.source}`, () => {
      assert.throws(
        () => {
          checkParsing(make(parsing));
        },
        (error: { code: string; message: string }) => {
          assert.equal(error.code, 'M2FP_NO_PARSING');
          assert.match(error.message, reason);
          assert.match(error.message, /wire an M2FP infer node before this node/);
          return true;
        },
      );
    });
  }
});

/** `parsing` with properties of the first of its `list` changed. */
function change(parsing: Parsing, list: 'persons' | 'parts', properties: object): object {
  return { ...parsing, [list]: [{ ...parsing[list][0], ...properties }] };
}

function without(parsing: Parsing, ...names: (keyof Parsing)[]): object {
  return Object.fromEntries(
    Object.entries(parsing).filter(([name]) => !names.includes(name as keyof Parsing)),
  );
}

/** A copy such as Node-RED makes of a message: Buffers stay Buffers. */
function structuredCloneWithBuffers(parsing: Parsing): Parsing {
  const { image, labelMap, personMap } = parsing;
  return {
    ...structuredClone(parsing),
    image: Buffer.from(image),
    labelMap: Buffer.from(labelMap),
    personMap: Buffer.from(personMap),
  };
}
