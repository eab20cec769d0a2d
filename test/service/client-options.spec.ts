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
    ['persons=1&persons=2', {}, { response: { persons: [1, 2] } }],
    ['flip=True&picture=1&names=false', {}, { flip: true, response: { picture: true, names: false } }],
    ['opacity=.5&quality=%2080&iou=0.95', {}, { response: { opacity: 0.5, quality: 80, iou: 0.95 } }],
    ['grow=auto&padding=16384', {}, { response: { grow: 'auto', padding: 16384 } }],
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
    // As it was written, and not as the list that is made of it.
    ['persons=yes', {}, /"persons" is "yes"; allowed/],
    ['persons=1&persons=yes', {}, /"persons" is "1,yes"; allowed/],
    ['', { persons: ['yes'] }, /"persons" is \["yes"\]; allowed/],
    ...['flip', 'picture', 'names', 'cutout'].flatMap((name) =>
      ['yes', 'no', 'on', 'off', 'ja', '2', '-1', 'null', '0x1'].map(
        (text): [string, Record<string, unknown>, RegExp] => [
          `${name}=${text}`,
          {},
          new RegExp(`"${name}" is "${text}"; allowed: true, false`),
        ],
      ),
    ),
    ...[
      ['quality', 'a whole number from 1 to 100'],
      ['contours', 'a whole number from 0 to 64'],
      ['cells', 'a whole number from 1 to 64'],
      ['grow', 'auto, or a whole number from 0 to 512'],
      ['padding', 'a whole number of pixels from 0 to 16384, or a text from "0%" to "1000%"'],
      ['persons', 'a list of ids'],
      ['opacity', 'a number from 0 to 1'],
      ['iou', 'a number from 0.5 to 1'],
      ['minScore', 'a number from 0 to 1'],
      ['scoreThreshold', 'a number from 0.1 to 1'],
    ].flatMap(([name, allowed]) =>
      ['0x1', '0b1', '1e0', '1e308', '1_0', '1.', 'Infinity', 'NaN', '１', '1;2', '--1', 'null'].map(
        (text): [string, Record<string, unknown>, RegExp] => [
          `${name!}=${encodeURIComponent(text)}`,
          {},
          new RegExp(`"${name!}" is .*${text}.*; allowed: ${allowed!}`),
        ],
      ),
    ),
    [`padding=1${'0'.repeat(308)}`, {}, /"padding" is 1e\+308; allowed: .* to 16384/],
    ['padding=16385', {}, /"padding" is 16385; allowed: .* to 16384/],
    ['', { padding: 1e308 }, /"padding" is 1e\+308; allowed: .* to 16384/],
    ['', { flip: 'true' }, /"flip" is "true"; allowed: true, false/],
    ['', { flip: 1 }, /"flip" is 1; allowed: true, false/],
    ['view=map&view=labels', {}, /"view" is given 2 times: "map", "labels"; allowed: one value/],
    ['view=map&response.view=map', {}, /"view" is given 2 times/],
    ['flip&flip=false', {}, /"flip" is given 2 times: "", "false"; allowed: one value/],
    ['quality=1&quality=2&quality=3', {}, /"quality" is given 3 times/],
    ['colorize.opacity=0.3&colorize.opacity=0.4', {}, /"colorize.opacity" is given 2 times/],
    ['job.webhook=https://a.example', {}, /"job.webhook" cannot be set/],
    ['', { job: { webhook: 'https://a.example' } }, /"job.webhook" cannot be set/],
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

  it('of jobs are told where jobs are taken, and nowhere else', () => {
    const query = queryOf('/jobs?job.webhook=https://a.example/x');
    assert.deepEqual(readClientOptions(query, {}, clientRules('flip', true)), {
      job: { webhook: 'https://a.example/x' },
      response: {},
    });
    assert.throws(
      () => readClientOptions([['bla', '1']], {}, clientRules('flip', true)),
      /flip, job.webhook,/,
    );
    assert.throws(
      () => readClientOptions([['bla', '1']], {}, clientRules('flip')),
      ({ message }: Error) => !/job/.test(message),
    );
  });

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
