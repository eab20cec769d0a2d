/** The description of the HTTP API: valid, and of what there is. */
import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { REQUEST_SETTINGS } from '../../nodes/m2fp-request/config.ts';
import { clientRules } from '../../nodes/m2fp-request/client-rules.ts';
import { STATUS_CODES } from '../../src/errors.ts';
import { namesInText } from '../../src/parsing/options/option-table.ts';
import { ANSWER_OPTIONS } from '../../src/service/answer-options.ts';
import { readClientOptions } from '../../src/service/client-options.ts';
import { openApi } from '../../src/service/openapi/document.ts';
import { example } from '../support/node-red.ts';

interface Parameter {
  name: string;
  in: string;
  description?: string;
  schema: { enum?: string[]; default?: unknown; minimum?: number; maximum?: number };
}
type Operation = { parameters?: Parameter[]; responses: Record<string, object>; requestBody?: Body };
interface Body {
  content: Record<string, { schema: { properties: Record<string, object> } }>;
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
});
