/**
 * The HTTP API of the example "Parsing service" as OpenAPI 3.1: for client generators and for the viewer. Options come
 * from the tables that requests are read with, errors from the table of codes, results from schemas/.
 */
import packageJson from '../../../package.json' with { type: 'json' };
import { METRICS_CONTENT_TYPE } from '../../observe/metrics.ts';
import { JOB_OPTIONS, jobPaths } from './jobs.ts';
import { optionSchemas } from './options.ts';
import { failures, ok, problemsOf } from './responses.ts';
import { schemas } from './schemas.ts';

const BINARY = { type: 'string', format: 'binary' };

/** Grey, with nobody in it: small enough for an example that works as it stands. */
const GREY =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgAQMAAABJtOi3AAAAA1BMVEWIiIhYZW6zAAAADElEQVR42mNgGNwAAACgAAGO+7' +
  'G0AAAAAElFTkSuQmCC';

/** The query of a request for a picture. */
function optionParameters(): object[] {
  return Object.entries(optionSchemas(true)).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }));
}

/** A picture in any of the forms that are taken, with options beside it. @param more options of this route alone */
function pictureBody(more: Record<string, object> = {}): object {
  return {
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: { image: { ...BINARY, description: 'The picture.' }, ...optionSchemas(true), ...more },
          required: ['image'],
        },
      },
      'application/json': {
        schema: {
          type: 'object',
          properties: {
            image: {
              type: 'string',
              description: 'The picture as base64 or data URL. No address: nothing is fetched.',
            },
            ...optionSchemas(false),
            ...more,
          },
          required: ['image'],
          additionalProperties: false,
        },
        example: { image: GREY, masks: 'rle' },
      },
      'image/*': { schema: BINARY },
      'application/octet-stream': { schema: BINARY },
    },
  };
}

const PICTURES = {
  'image/png': { schema: BINARY },
  'image/webp': { schema: BINARY },
  'image/jpeg': { schema: BINARY },
};

const parsed = {
  description: 'What the picture shows, in the form that was asked for.',
  content: {
    'application/json': {
      schema: { anyOf: [{ $ref: '#/components/schemas/Parsing' }, { $ref: '#/components/schemas/Coco' }] },
    },
    ...PICTURES,
    'multipart/mixed': { schema: { type: 'string', description: 'JSON, then the picture.' } },
  },
};

const operation = (id: string, tag: string, summary: string, rest: object): object => ({
  operationId: id,
  tags: [tag],
  summary,
  ...rest,
});

const parse = (id: string, summary: string): object => ({
  post: operation(id, 'Pictures', summary, {
    parameters: optionParameters(),
    requestBody: pictureBody(),
    responses: { 200: parsed, ...failures() },
  }),
});

const get = (id: string, tag: string, summary: string, responses: object, more: object = {}): object => ({
  get: operation(id, tag, summary, { security: [], responses, ...more }),
});

const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const json = (description: string, schema: string): object =>
  ok(description, 'application/json', ref(schema));
const text = (description: string, type: string): object => ok(description, type, { type: 'string' });
const moved = { description: 'The address with, or without, the slash at its end is the right one.' };

function paths(): Record<string, object> {
  const readiness = (schema: string): object => ({
    200: json('A picture that comes now would be parsed.', schema),
    503: json('It would not, for these reasons.', schema),
  });
  return {
    '/api/parse': parse(
      'parse',
      'People and their parts in a picture; JSON, unless something else is asked for',
    ),
    '/upload': parse(
      'upload',
      'The picture with its parts in colour; PNG, unless something else is asked for',
    ),
    ...jobPaths(pictureBody(JOB_OPTIONS), optionParameters(), parsed.content),
    '/live': get('live', 'State', 'Whether the process runs', { 200: json('It does.', 'Live') }),
    '/ready': get('ready', 'State', 'Whether pictures are parsed now', readiness('Readiness')),
    '/health': get('health', 'State', 'The same, with all that is known', readiness('Health')),
    '/metrics': get('metrics', 'State', 'Figures for Prometheus', {
      200: text('In the text format.', METRICS_CONTENT_TYPE.split(';')[0]!),
    }),
    '/': get('page', 'Pages', 'The page to try it with', { 200: text('HTML.', 'text/html'), 308: moved }),
    '/docs': get('docs', 'Pages', 'This description as a page', {
      200: text('HTML.', 'text/html'),
      308: moved,
    }),
    '/openapi.json': get('openapi', 'Pages', 'This description', {
      200: ok('OpenAPI 3.1.', 'application/json', { type: 'object' }),
    }),
    '/files/{file}': get(
      'file',
      'Pages',
      'What the pages load',
      {
        200: {
          description: 'The file.',
          content: {
            'text/css': { schema: { type: 'string' } },
            'text/javascript': { schema: { type: 'string' } },
            'application/json': { schema: { type: 'object' } },
            'image/jpeg': { schema: BINARY },
            'image/svg+xml': { schema: { type: 'string' } },
          },
        },
        ...problemsOf(['M2FP_NOTHING_FOUND']),
      },
      {
        parameters: [
          { name: 'file', in: 'path', required: true, schema: { type: 'string' }, example: 'icon.svg' },
        ],
      },
    ),
  };
}

/** The document, as plain JSON. */
export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Human parsing',
      version: packageJson.version,
      description:
        'Finds people in pictures, and which pixel is hair, face, coat, left arm, right shoe. ' +
        `[About the API](${packageJson.homepage.replace('#readme', '')}/blob/main/docs/http.md). ` +
        "The service's owner may ask for an API key, and may let clients set other options of the nodes than are named here.",
      license: { name: packageJson.license, identifier: packageJson.license },
    },
    // Where the document lies, whatever a proxy has put before it.
    servers: [{ url: '.' }],
    security: [{}, { bearer: [] }, { apiKey: [] }],
    tags: [{ name: 'Pictures' }, { name: 'Jobs' }, { name: 'State' }, { name: 'Pages' }],
    paths: paths(),
    components: {
      schemas: schemas(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}
