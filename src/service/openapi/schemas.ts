/** What is in bodies: results from the schemas in schemas/, with what HTTP adds to them. */
import summary from '../../../schemas/summary.schema.json' with { type: 'json' };
import { STATUS_CODES } from '../../errors.ts';
import { REASON_CODES } from '../../observe/health.ts';
import type { Schema } from './options.ts';

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** References to `$defs` lead to the document's components. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== '$ref') return [key, moved(inner)];
      const [name] = String(inner).split('/').slice(-1);
      return [key, `#/components/schemas/${capital(name!)}`];
    }),
  );
}

const object = (properties: Record<string, Schema>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const list = (items: Schema): Schema => ({ type: 'array', items });

/** What `masks` adds to a person or a part. */
const MASKS: Record<string, Schema> = {
  mask: { ...ref('Rle'), description: 'With `masks=rle`.' },
  polygons: {
    ...list(object({ outer: list({ type: 'number' }), holes: list(list({ type: 'number' })) })),
    description: 'With `masks=polygon`: x, y, x, y, ... in pixels from the upper left corner.',
  },
  png: { type: 'string', description: 'With `masks=png`: base64 of a grey picture of the box, 255 inside.' },
};

function results(): Record<string, Schema> {
  const { $defs, $schema: _schema, $id: _id, title: _title, ...top } = summary;
  const defs = Object.fromEntries(
    Object.entries($defs).map(([name, schema]) => [capital(name), moved(schema) as Schema]),
  );
  for (const name of ['Person', 'Part']) {
    const own = defs[name]!;
    defs[name] = { ...own, properties: { ...(own['properties'] as object), ...MASKS } };
  }
  const parsing = moved(top) as Schema;
  const picture = {
    ...object({ type: text, width: count, height: count, data: { type: 'string', description: 'Base64.' } }),
    description: 'With `picture=true`.',
  };
  return {
    Parsing: { ...parsing, properties: { ...(parsing['properties'] as object), picture } },
    ...defs,
    Rle: {
      ...object({ size: { ...list(count), minItems: 2, maxItems: 2 }, counts: text }),
      description: "COCO's compressed run-length encoding; size: height, width.",
    },
  };
}

const annotation = object({
  id: count,
  image_id: count,
  category_id: count,
  segmentation: { anyOf: [ref('Rle'), list(list({ type: 'number' }))] },
  bbox: list({ type: 'number' }),
  area: count,
  iscrowd: count,
  score: { type: 'number' },
  person: orNull({ type: 'integer' }),
});

const health = {
  status: { type: 'string', enum: ['ready', 'degraded', 'unready'] },
  ready: { type: 'boolean' },
  reasons: list(
    object(
      {
        code: { type: 'string', enum: [...REASON_CODES] },
        model: { ...text, description: 'Blank where it is about none.' },
        node: { ...text, description: 'Of the flow, where it is about one.' },
        message: text,
      },
      ['code', 'model', 'message'],
    ),
  ),
};

/** The components of the document. */
export function schemas(): Record<string, Schema> {
  return {
    ...results(),
    Coco: {
      ...object({
        info: object({ description: text, version: text }),
        images: list(object({ id: count, width: count, height: count, file_name: text })),
        annotations: list(annotation),
        categories: list(object({ id: count, name: text, supercategory: text })),
      }),
      description: 'With `format=coco`: https://cocodataset.org/#format-data',
    },
    Problem: {
      ...object(
        {
          type: { type: 'string', format: 'uri' },
          title: text,
          status: { type: 'integer', minimum: 400, maximum: 599 },
          detail: { type: 'string', description: 'What was wrong with this request, and what to do.' },
          code: {
            type: 'string',
            enum: [...Object.keys(STATUS_CODES).filter((code) => code !== 'M2FP_NO_PARSING'), 'INTERNAL'],
          },
          retryAfter: { type: 'integer', minimum: 1, description: 'Seconds.' },
        },
        ['type', 'title', 'status', 'detail', 'code'],
      ),
      description: 'RFC 9457.',
    },
    Live: object({ live: { const: true } }),
    Readiness: object(health),
    Health: object({ ...health, live: { type: 'boolean' } }),
    Job: job(),
  };
}

/** As `JobView` of src/service/jobs/view.ts, with its result. */
function job(): Schema {
  const time = orNull({ type: 'string', format: 'date-time' });
  const properties = {
    id: text,
    state: text,
    place: {
      ...orNull({ type: 'integer' }),
      description: 'In the line; null when it is done or being done.',
    },
    created: time,
    started: time,
    ended: time,
    expires: time,
    attempts: count,
    error: orNull(object({ code: text, message: text, status: { type: 'integer' } })),
    resultUrl: { ...orNull(text), description: 'Relative to the address that was asked for.' },
    resultType: orNull(text),
  };
  return object(
    { ...properties, result: { description: 'Where it is JSON.', type: 'object' } },
    Object.keys(properties),
  );
}
