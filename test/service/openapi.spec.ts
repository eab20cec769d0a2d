/** The description of the HTTP API: valid, and of what there is. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { Validator } from '@seriousme/openapi-schema-validator';
import { REQUEST_SETTINGS } from '../../nodes/m2fp-request/config.ts';
import { clientRules } from '../../nodes/m2fp-request/client-rules.ts';
import { STATUS_CODES } from '../../src/errors.ts';
import { namesInText } from '../../src/parsing/options/option-table.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { ANSWER_OPTIONS } from '../../src/service/answer-options.ts';
import { contentOf } from '../../src/service/body/content.ts';
import { readClientOptions } from '../../src/service/client-options.ts';
import { openApi } from '../../src/service/openapi/document.ts';
import { newJobId } from '../../src/service/jobs/ids.ts';
import { cancelled, noOutcome } from '../../src/service/jobs/outcomes.ts';
import { problemOfEnded } from '../../src/service/jobs/view.ts';
import { planAnswer } from '../../src/service/plan.ts';
import { orderOf } from '../../src/service/request.ts';
import { problemAnswer } from '../../src/service/problem-answer.ts';
import { Description } from '../support/described.ts';
import { example } from '../support/node-red.ts';

interface Parameter {
  name: string;
  in: string;
  description?: string;
  schema: { enum?: string[]; default?: unknown; minimum?: number; maximum?: number };
}
type Operation = { parameters?: Parameter[]; responses: Record<string, object>; requestBody?: Body };
interface Body {
  content: Record<string, { schema: { properties: Record<string, object> }; example?: object }>;
}
const document = openApi() as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties: Record<string, { enum: string[] }> }> };
};
const { post } = document.paths['/api/parse']!;

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    const validator = new Validator();
    assert.deepEqual(
      (await validator.validate(structuredClone(openApi()) as Record<string, unknown>)).errors,
      undefined,
    );
    assert.equal(validator.version, '3.1');
  });

  it('has the routes of the example, and no others', () => {
    const routes = example('4 Parsing service')
      .filter(({ type }) => type === 'http in')
      .map((node) => {
        const path = String(node['url']).replace(/^\/m2fp/, '');
        return `${String(node['method'])} ${path.replaceAll(/:(\w+)/g, '{$1}')}`;
      });
    const told = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    assert.deepEqual(told.toSorted(), routes.toSorted());
  });

  it('has the options that requests are read with, in addresses, forms and JSON', () => {
    const names = [...Object.keys(ANSWER_OPTIONS), ...namesInText(REQUEST_SETTINGS.allowed.form.value)];
    const { parameters, requestBody } = post!;
    assert.deepEqual(
      parameters!.map(({ name }) => name),
      names,
    );
    assert.ok(parameters!.every((parameter) => parameter.in === 'query' && parameter.description));
    for (const type of ['multipart/form-data', 'application/json']) {
      const { properties } = requestBody!.content[type]!.schema;
      assert.deepEqual(Object.keys(properties), ['image', ...names], type);
    }
  });

  it('names values that are taken', () => {
    const rules = clientRules(REQUEST_SETTINGS.allowed.form.value);
    for (const { name, schema } of post!.parameters!) {
      const values = [...(schema.enum ?? []), schema.default, schema.minimum, schema.maximum];
      for (const value of values.filter((each) => each !== undefined)) {
        readClientOptions([[name, JSON.stringify(value).replaceAll('"', '')]], {}, rules);
      }
      const wrong = schema.enum
        ? 'none of them'
        : schema.maximum === undefined
          ? undefined
          : schema.maximum + 1;
      if (wrong === undefined) continue;
      assert.throws(() => readClientOptions([[name, String(wrong)]], {}, rules), { code: 'M2FP_BAD_OPTION' });
    }
  });

  it('names values that are taken in JSON', () => {
    const rules = clientRules(REQUEST_SETTINGS.allowed.form.value);
    const { properties } = post!.requestBody!.content['application/json']!.schema;
    for (const [name, schema] of Object.entries(properties)) {
      const { default: fallback, anyOf = [] } = schema as {
        default?: unknown;
        anyOf?: { enum?: unknown[] }[];
      };
      const choices = anyOf.flatMap((form) => form.enum ?? []);
      for (const value of [...choices, fallback].filter((each) => each !== undefined))
        readClientOptions([], { [name]: value }, rules);
    }
  });

  it('takes of JSON what the service takes, and nothing else', () => {
    const rules = clientRules(REQUEST_SETTINGS.allowed.form.value, true);
    const named = Object.keys(post!.requestBody!.content['application/json']!.schema.properties);
    const GOOD: [name: string, ...values: unknown[]][] = [
      ['labels', 'Face', 'Face,Hair', ['Face'], ['Face', 'Hair']],
      ['persons', '1', '1, 255', [1], [255, 2]],
      ['padding', 0, 10, '0%', '12.5%', '1000%'],
      ['color', '#000', '#a0b1c2', 'Red', [1, 2, 3], [0, 0, 255]],
      ['contourColor', 'white', [1, 2, 3]],
      ['grow', 'auto', 0, 512],
      ['opacity', 0, 0.5, 1],
      ['flip', true, false],
      ['view', 'crop'],
      ['format', 'coco'],
      ...named.filter((name) => name !== 'image').map((name): [string, null] => [name, null]),
    ];
    const BAD: [name: string, ...values: unknown[]][] = [
      ['labels', '', ' , ', 'none', []],
      ['persons', '', 'yes', '0', '256', '1.5', [], [0], [256], ['1']],
      ['padding', -1, 1.5, '10', '2000%', '1000.5%', 'x%', true],
      ['color', [1, 2], [1, 2, 3, 4], [256, 0, 0], [0.5, 0, 0], 7],
      ['grow', -1, 0.5, 513, 'none'],
      ['opacity', 1.1, '0.5'],
      ['flip', 'true', 1],
      ['view', 'none', ''],
      ['foo', 1],
      ['url', 'http://example.org'],
    ];
    for (const [route, tells] of [
      ['/api/parse', false],
      ['/upload', false],
      ['/api/jobs', true],
    ] as const) {
      const takes = new Description(openApi()).requestCheck(route);
      const check = (isGood: boolean, name: string, value: unknown): void => {
        const said = `${route} ${name} ${JSON.stringify(value)}`;
        assert.equal(takes({ image: 'AAAA', [name]: value }), isGood, said);
        const read = () => planAnswer({ options: readClientOptions([], { [name]: value }, rules).response });
        if (isGood) read();
        else assert.throws(read, said);
      };
      for (const [name, ...values] of GOOD) for (const value of values) check(true, name, value);
      for (const [name, ...values] of BAD) for (const value of values) check(false, name, value);
      assert.equal(takes({ image: 'AAAA', 'job.webhook': 'https://example.org/' }), tells, route);
    }
  });

  it('has an example of JSON that works as it stands', async () => {
    const { example: body } = post!.requestBody!.content['application/json']!;
    const content = await contentOf(Buffer.from(JSON.stringify(body)), 'application/json');
    const rules = clientRules(REQUEST_SETTINGS.allowed.form.value);
    const { picture, options } = await orderOf(content, [], rules, DEFAULT_LIMITS, true);
    const { format, width, height } = await sharp(picture).metadata();
    assert.deepEqual([format, width, height], ['png', 32, 32]);
    assert.deepEqual(options, { response: { masks: 'rle' } });
  });

  it('says nothing of "Accept" where it is not heeded', () => {
    assert.ok('406' in post!.responses);
    assert.ok(!('406' in document.paths['/api/jobs']!['post']!.responses));
  });

  it('has every status that a request for a picture may be answered with', () => {
    const codes = Object.keys(STATUS_CODES).filter((code) => code !== 'M2FP_NO_PARSING');
    assert.deepEqual(document.components.schemas['Problem']!.properties['code']!.enum, [
      ...codes,
      'INTERNAL',
    ]);
    const jobs = document.paths['/api/jobs']!['post']!.responses;
    const looks = document.paths['/api/jobs/{id}']!['get']!.responses;
    const statuses = new Set([jobs, looks, post!.responses].flatMap((responses) => Object.keys(responses)));
    for (const status of [200, 202, 500, ...Object.values(STATUS_CODES)])
      assert.ok(statuses.has(String(status)));
  });

  it('has what is told of a job that ended without a result', () => {
    const job = { ...noOutcome(newJobId()), ...cancelled() };
    const body = Buffer.from(JSON.stringify(problemOfEnded(job)));
    const answer = { status: 410, type: 'application/problem+json', body };
    new Description(openApi()).checkAnswer('/api/jobs/{id}', 'get', answer);
  });

  it('has whatever a route may be refused with, as it is told', () => {
    const description = new Description(openApi());
    const jobsOnly = ['M2FP_JOB_NOT_FOUND', 'M2FP_JOB_NOT_DONE', 'M2FP_KEY_REUSED'];
    const codes = [...Object.keys(STATUS_CODES), 'INTERNAL'];
    const ofPictures = codes.filter((code) => ![...jobsOnly, 'M2FP_NOT_KEPT'].includes(code));
    const ofJobs = [
      'M2FP_BAD_OPTION',
      'M2FP_UNAUTHORIZED',
      'M2FP_BUSY',
      'M2FP_CANCELLED',
      'M2FP_JOB_NOT_FOUND',
      'INTERNAL',
      'M2FP_ENGINE_UNAVAILABLE',
      'M2FP_MODEL_NOT_FOUND',
    ];
    const REFUSALS: [route: string, method: string, codes: string[]][] = [
      ['/api/parse', 'post', ofPictures],
      ['/upload', 'post', ofPictures],
      [
        '/api/jobs',
        'post',
        [...ofPictures.filter((code) => code !== 'M2FP_NOT_ACCEPTABLE'), 'M2FP_NOT_KEPT', 'M2FP_KEY_REUSED'],
      ],
      ['/api/jobs/{id}', 'get', [...ofJobs, 'M2FP_JOB_NOT_DONE']],
      ['/api/jobs/{id}', 'delete', ofJobs],
    ];
    for (const [route, method, all] of REFUSALS) {
      for (const code of all) {
        for (const wait of [undefined, 7]) {
          const {
            statusCode: status,
            headers,
            body,
          } = problemAnswer({ code, message: 'It is wrong.' }, wait);
          description.checkAnswer(route, method, { status, type: headers['content-type']!, body });
          const told = description.document.paths[route]![method]!.responses[status]!.headers ?? {};
          assert.equal(
            'Retry-After' in told,
            all.some((other) => {
              const same = problemAnswer({ code: other });
              return same.statusCode === status && 'retry-after' in same.headers;
            }),
          );
        }
      }
    }
  });
});
