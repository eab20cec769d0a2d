import assert from 'node:assert/strict';
import { clientRules } from '../../nodes/m2fp-request/client-rules.ts';
import { readClientOptions } from '../../src/service/client-options.ts';
import { queryOf } from '../../src/service/request.ts';

const RULES = clientRules('scoreThreshold, flip, colorize, crop.padding');
const read = (query: string, values: Record<string, unknown> = {}) =>
  readClientOptions(queryOf(`/parse?${query}`), values, RULES);

describe("a client's options", () => {
  const right: [query: string, values: Record<string, unknown>, expected: object][] = [
    ['', {}, { response: {} }],
    ['scoreThreshold=0.7&flip', {}, { scoreThreshold: 0.7, flip: true, response: {} }],
    ['flip=0', {}, { flip: false, response: {} }],
    ['flip=FALSE&scoreThreshold=', {}, { flip: false, response: {} }],
    ['scoreThreshold=0.7', { scoreThreshold: 0.8 }, { scoreThreshold: 0.8, response: {} }],
    [
      'format=png&view=crop&labels=Left-arm,Face',
      {},
      { response: { format: 'png', view: 'crop', labels: ['Left-arm', 'Face'] } },
    ],
    ['labels=Face&labels=Hair', {}, { response: { labels: ['Face', 'Hair'] } }],
    ['persons=1,2', {}, { response: { persons: [1, 2] } }],
    ['response.format=coco', {}, { response: { format: 'coco' } }],
    [
      'colorize.opacity=0.3&crop.padding=10%25',
      {},
      { colorize: { opacity: 0.3 }, crop: { padding: '10%' }, response: {} },
    ],
    [
      '',
      { colorize: { opacity: 0.3, names: true }, masks: 'rle', flip: null },
      { colorize: { opacity: 0.3, names: true }, response: { masks: 'rle' } },
    ],
  ];
  for (const [query, values, expected] of right) {
    it(`are read: ${query} ${JSON.stringify(values)}`, () => {
      assert.deepEqual(read(query, values), expected);
    });
  }

  const wrong: [query: string, values: Record<string, unknown>, words: RegExp][] = [
    ['bla=1', {}, /There is no option "bla"; allowed: scoreThreshold, flip, .*format/],
    ['priority=1', {}, /"priority" cannot be set/],
    ['policy=latest', {}, /"policy" cannot be set/],
    ['redact.uncovered=pass', {}, /"redact.uncovered" cannot be set/],
    ['crop.mode=cutout', {}, /"crop.mode" cannot be set/],
    ['method=recolor', {}, /"method" is "recolor"; allowed: blur/],
    ['__proto__=1', {}, /no option "__proto__"/],
    ['constructor.name=1', {}, /no option "constructor.name"/],
    ['toString=1', {}, /no option "toString"/],
    ['flip=perhaps', {}, /"flip" is "perhaps"; allowed: true, false/],
    ['scoreThreshold=a', {}, /"scoreThreshold" is "a"/],
    ['scoreThreshold=7', {}, /"scoreThreshold" is 7; allowed: a number from 0.1 to 1/],
    ['format=bmp', {}, /"format" is "bmp"; allowed: json/],
    ['iou=2', {}, /"iou" is 2/],
    ['', { scoreThreshold: '0.5' }, /"scoreThreshold" is "0.5"/],
    ['', { redact: { labels: [] } }, /"redact.labels" cannot be set/],
    ['', { colorize: { bla: 1 } }, /no option "colorize.bla"/],
    ['', { colorize: 3 }, /no option "colorize"/],
  ];
  for (const [query, values, words] of wrong) {
    it(`are refused by name: ${query} ${JSON.stringify(values)}`, () => {
      assert.throws(() => read(query, values), { code: 'M2FP_BAD_OPTION', message: words });
    });
  }

  it('never name an address to be fetched', () => {
    for (const name of ['url', 'image_url', 'callback']) {
      assert.throws(() => read(`${name}=http://127.0.0.1/`), {
        code: 'M2FP_NO_IMAGE',
        message: /fetches no/,
      });
    }
  });

  it('are those that the form allows, which has to name options', () => {
    assert.throws(() => clientRules('scoreThreshold, bla'), { code: 'M2FP_BAD_OPTION', message: /"bla"/ });
    assert.throws(() => clientRules('colorize.bla'), /"colorize.bla"/);
    const none = clientRules('');
    assert.throws(() => readClientOptions([['flip', '1']], {}, none), /cannot be set/);
    assert.deepEqual(readClientOptions([['view', 'map']], {}, none), { response: { view: 'map' } });
  });
});
