/** The part about jobs. */
import { failures, ok, problemsOf } from './responses.ts';

const JOB = { $ref: '#/components/schemas/Job' };
const job = (description: string): object => ok(description, 'application/json', JOB);

/** Whatever a request for a job may fail with: that of the parsing request node, and that of the place where jobs are kept. */
const DENIED = [
  'M2FP_BAD_OPTION',
  'M2FP_UNAUTHORIZED',
  'M2FP_BUSY',
  'M2FP_JOB_NOT_FOUND',
  'M2FP_ENGINE_UNAVAILABLE',
  'M2FP_MODEL_NOT_FOUND',
  'M2FP_CANCELLED',
  'INTERNAL',
] as const;

/** Beside those of a picture, in the address or in the body. */
export const JOB_OPTIONS = {
  'job.webhook': {
    description: "Called when the job has ended; its host must be one that the service's owner allows.",
    type: 'string',
    format: 'uri',
  },
};

const OWN_PARAMETERS = Object.entries(JOB_OPTIONS).map(([name, { description, ...schema }]) => ({
  name,
  in: 'query',
  description,
  schema,
}));

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'A UUID, for example, that is new with each picture: the request sent once more under it gets the job that came of the ' +
    'first one, as long as that is kept.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** Of a job that has ended without a result. */
const ENDED = {
  410: {
    description:
      'Only with `result`: the job has ended without one. `code` and `detail` are those of its `error`: `M2FP_CANCELLED` where ' +
      'it was cancelled, `M2FP_TIMEOUT` where it waited for too long.',
    content: {
      'application/problem+json': {
        schema: {
          type: 'object',
          properties: {
            type: { type: 'string', format: 'uri' },
            title: { type: 'string' },
            status: { const: 410 },
            detail: { type: 'string' },
            code: { type: 'string' },
          },
          required: ['type', 'title', 'status', 'detail', 'code'],
        },
      },
    },
  },
};

/**
 * @param body and `parameters` as of a request for a picture, which a job is, later
 * @param results by type, what comes of one
 */
export function jobPaths(
  body: object,
  parameters: readonly object[],
  results: Record<string, { schema: object }>,
): Record<string, object> {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
  return {
    '/api/jobs': {
      post: {
        operationId: 'createJob',
        tags: ['Jobs'],
        summary: 'Keeps a picture, and parses it when its turn comes; 202 means kept, also over a restart',
        description: 'The result is in the format that `format` names, else JSON. `Accept` is not heeded.',
        parameters: [...parameters, ...OWN_PARAMETERS, IDEMPOTENCY_KEY],
        requestBody: body,
        responses: {
          202: {
            ...job('The job.'),
            headers: {
              Location: { description: 'Of the job, relative to this address.', schema: { type: 'string' } },
              'Idempotent-Replayed': {
                description: 'Where the job was accepted before, under the same `Idempotency-Key`.',
                schema: { const: 'true' },
              },
            },
          },
          // What it accepts is no matter of a job: `format` says what comes of it.
          ...failures(['M2FP_NOT_ACCEPTABLE']),
          ...problemsOf(['M2FP_NOT_KEPT', 'M2FP_KEY_REUSED']),
        },
      },
    },
    '/api/jobs/{id}': {
      get: {
        operationId: 'job',
        tags: ['Jobs'],
        summary: 'How the job does, and its result',
        parameters: [
          id,
          {
            name: 'result',
            in: 'query',
            description: 'The result alone, as it is, whatever `Accept` says.',
            schema: { type: 'boolean', default: false },
          },
        ],
        responses: {
          200: {
            description: 'The job; with `result`, its result in the form that was asked for.',
            content: {
              ...results,
              'application/json': { schema: { anyOf: [JOB, results['application/json']!.schema] } },
            },
          },
          ...problemsOf([...DENIED, 'M2FP_JOB_NOT_DONE']),
          ...ENDED,
        },
      },
      delete: {
        operationId: 'cancelJob',
        tags: ['Jobs'],
        summary: 'Cancels the job, or forgets its result',
        parameters: [id],
        responses: {
          200: job('What became of it.'),
          204: { description: 'It is forgotten.' },
          ...problemsOf(DENIED),
        },
      },
    },
  };
}
